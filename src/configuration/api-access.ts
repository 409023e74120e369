import type { ApiAccess, ApiGroup } from '../api/api-groups';

/** An entry of `spec.api.allowed` or `spec.api.denied`. */
export interface ApiRule {
  /** A group of Dapr's API: `lock`, `unlock`, `locks`, `metadata`, `shutdown`, `invoke` and others. */
  readonly name: string;
  /** `v1alpha1`, or the older form, `v1.0-alpha1`. */
  readonly version: string;
  /** Undefined for both transports. */
  readonly protocol: 'http' | 'grpc' | undefined;
}

/**
 * The versions of each group, as rules and as paths write them (dapr/dapr pkg/api/http). `locks` is
 * the group of the native API.
 */
const VERSIONS: Readonly<Record<ApiGroup, readonly string[]>> = {
  lock: ['v1alpha1', 'v1.0-alpha1'],
  unlock: ['v1alpha1', 'v1.0-alpha1'],
  locks: ['v1'],
  metadata: ['v1', 'v1.0'],
  shutdown: ['v1', 'v1.0'],
  invoke: ['v1', 'v1.0'],
};

/**
 * The groups whose denial also denies a group. The native API works on the same locks as Dapr's: a
 * configuration that keeps programs from taking or releasing locks must not be bypassed by it.
 */
const DENIED_WITH: Readonly<Partial<Record<ApiGroup, readonly ApiGroup[]>>> = {
  locks: ['lock', 'unlock'],
};

/**
 * Says why a rule has no effect (as in daprd). Undefined if it has one, or belongs to an API that
 * Holdfast does not serve.
 */
export function describeIdleRule({ name, version }: ApiRule): string | undefined {
  const versions = Object.hasOwn(VERSIONS, name) ? VERSIONS[name as ApiGroup] : undefined;
  if (versions === undefined || versions.includes(version)) return undefined;
  const fault = version === '' ? 'has no version' : `has version ${version}, which ${name} lacks`;
  return `${fault}: the rule has no effect (allowed: ${versions.join(', ')})`;
}

/**
 * Creates the access check of a configuration. If a transport has `allowed` rules, only these
 * groups are served. A denied group is never served.
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
    const names = (rule: ApiRule, named: ApiGroup): boolean =>
      concerns(rule) && rule.name === named && VERSIONS[named].includes(rule.version);
    const deniedBy = [group, ...(DENIED_WITH[group] ?? [])];
    if (denied.some((rule) => deniedBy.some((named) => names(rule, named)))) return false;
    return !allowed.some(concerns) || allowed.some((rule) => names(rule, group));
  };
}
