/**
 * A `spec.metadata` entry as it is written. A secret's reference counts before a value, a value
 * before a variable of the environment (dapr/dapr pkg/runtime/processor/secret).
 */
export interface PropertySource {
  readonly name: string;
  /** The text of `value`; undefined where the entry has none. */
  readonly value: string | undefined;
  readonly secret: { readonly name: string; readonly key: string } | undefined;
  /** The variable's name. */
  readonly env: string | undefined;
}

/** A component that stands in a file and is meant for this sidecar: read and validated. */
export interface ComponentManifest {
  readonly name: string;
  /** For example `lock.redis`. */
  readonly type: string;
  /** As written; empty where the file names none, which means v1. */
  readonly version: string;
  readonly properties: readonly PropertySource[];
  /** The component that keeps its secrets (`auth.secretStore`); undefined where it names none. */
  readonly secretStore: string | undefined;
  /** True: a failing init is logged and the sidecar starts without this component. */
  readonly ignoreErrors: boolean;
  readonly initTimeoutMs: number;
  /** The file that it stands in, for messages. */
  readonly file: string;
}

/** The component as daprd's log names it: `name (type/version)`, `name (type)` without a version. */
export function toLogName({
  name,
  type,
  version,
}: Pick<ComponentManifest, 'name' | 'type' | 'version'>): string {
  return `${name} (${type}${version === '' ? '' : `/${version}`})`;
}
