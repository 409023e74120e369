import type { ApiAccess, ApiGroup } from '../api/api-groups';

/** An entry of `spec.api.allowed` or `spec.api.denied`. */
export interface ApiRule {
  /** A group of Dapr's API: `lock`, `unlock`, `metadata`, `shutdown`, `invoke` … */
  readonly name: string;
  /** `v1alpha1`, or the older form, `v1.0-alpha1`. */
  readonly version: string;
  /** Undefined for both transports. */
  readonly protocol: 'http' | 'grpc' | undefined;
}

/** What a version is called in rules, and how it stands in paths (dapr/dapr pkg/api/http). */
const VERSIONS: Readonly<Record<ApiGroup, readonly [current: string, legacy: string]>> = {
  lock: ['v1alpha1', 'v1.0-alpha1'],
  unlock: ['v1alpha1', 'v1.0-alpha1'],
  metadata: ['v1', 'v1.0'],
  shutdown: ['v1', 'v1.0'],
  invoke: ['v1', 'v1.0'],
};

/** Why a rule has no effect, as daprd has it too; undefined where it has one, or is of no API here. */
export function describeIdleRule({ name, version }: ApiRule): string | undefined {
  const versions = Object.hasOwn(VERSIONS, name) ? VERSIONS[name as ApiGroup] : undefined;
  if (versions === undefined || versions.includes(version)) return undefined;
  const subject = version === '' ? 'names no version' : `names the version ${version}`;
  return `${subject} of ${name} and has no effect (allowed: ${versions.join(', ')})`;
}

/**
 * Makes the access check of a configuration: where a transport has rules that allow, only those
 * groups are served; what is denied is not, whatever allows it.
 */
export function createApiAccess({
  allowed,
  denied,
}: {
  readonly allowed: readonly ApiRule[];
  readonly denied: readonly ApiRule[];
}): ApiAccess {
  return (group, protocol) => {
    const concerns = (rule: ApiRule): boolean => (rule.protocol ?? protocol) === protocol;
    const matches = (rule: ApiRule): boolean =>
      concerns(rule) && rule.name === group && VERSIONS[group].includes(rule.version);
    if (denied.some(matches)) return false;
    return !allowed.some(concerns) || allowed.some(matches);
  };
}
