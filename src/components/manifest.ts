/**
 * A `spec.metadata` entry as it is written. A reference to a secret overrides a value, and a value
 * overrides an environment variable (dapr/dapr pkg/runtime/processor/secret).
 */
export interface PropertySource {
  readonly name: string;
  /** The text of `value`. Undefined if the entry has none. */
  readonly value: string | undefined;
  readonly secret: { readonly name: string; readonly key: string } | undefined;
  /** The name of the environment variable. */
  readonly env: string | undefined;
}

/** A valid component that is meant for this sidecar. */
export interface ComponentManifest {
  readonly name: string;
  /** For example `lock.redis`. */
  readonly type: string;
  /** As written. Empty if the file has none, which means v1. */
  readonly version: string;
  readonly properties: readonly PropertySource[];
  /** The component with its secrets (`auth.secretStore`). Undefined if there is none. */
  readonly secretStore: string | undefined;
  /** If true, a failing init is logged, and the sidecar starts without this component. */
  readonly ignoreErrors: boolean;
  readonly initTimeoutMs: number;
  /** Its file, for messages. */
  readonly file: string;
}

/**
 * The component's name in daprd's log: `name (type/version)`, or `name (type)` without a version.
 */
export function toLogName({
  name,
  type,
  version,
}: Pick<ComponentManifest, 'name' | 'type' | 'version'>): string {
  return `${name} (${type}${version === '' ? '' : `/${version}`})`;
}
