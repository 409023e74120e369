import type { MetadataProperties } from './metadata-properties';

/** A component that stands in a file and is meant for this sidecar: read, validated, values typed. */
export interface ComponentManifest {
  readonly name: string;
  /** For example `lock.redis`. */
  readonly type: string;
  /** As written; empty where the file names none, which means v1. */
  readonly version: string;
  readonly metadata: MetadataProperties;
  /** True: a failing init is logged and the sidecar starts without this component. */
  readonly ignoreErrors: boolean;
  readonly initTimeoutMs: number;
  /** The file that it stands in, for messages. */
  readonly file: string;
  /** What keeps it from being initialised though its file is sound, each a whole sentence. */
  readonly obstacles: readonly string[];
}

/** The component as daprd's log names it: `name (type/version)`, `name (type)` without a version. */
export function toLogName({
  name,
  type,
  version,
}: Pick<ComponentManifest, 'name' | 'type' | 'version'>): string {
  return `${name} (${type}${version === '' ? '' : `/${version}`})`;
}
