import { findNearest } from '../../base/nearest-name';

/**
 * The metadata properties of `lock.etcd`. Names and meanings are those of daprd's `state.etcd` where
 * it has them (dapr/components-contrib state/etcd); it has no user, no timeouts and no
 * tlsServerName. docs/configuration.md has the same table.
 */
export const ETCD_PROPERTIES = [
  'endpoints',
  'keyPrefixPath',
  'tlsEnable',
  'ca',
  'cert',
  'key',
  'tlsServerName',
  'username',
  'password',
  'dialTimeout',
  'requestTimeout',
  'keyPrefix',
] as const;

/** The name of a property of `lock.etcd`. */
export type EtcdProperty = (typeof ETCD_PROPERTIES)[number];

/** An unknown property, usually a typo. */
export interface UnknownProperty {
  readonly name: string;
  /** The known name that was probably meant. */
  readonly nearest: string | undefined;
}

/** The unknown names among the given ones. */
export function findUnknownProperties(names: readonly string[]): readonly UnknownProperty[] {
  const known = new Set(ETCD_PROPERTIES.map((name) => name.toLowerCase()));
  return names
    .filter((name) => !known.has(name.toLowerCase()))
    .map((name) => ({ name, nearest: findNearest(name, ETCD_PROPERTIES) }));
}
