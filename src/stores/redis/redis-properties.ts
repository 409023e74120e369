import { findNearest } from '../../base/nearest-name';

/**
 * The effect of a metadata property of `lock.redis`:
 * - `used`: it has the same effect as in daprd.
 * - `checked`: it has no effect on locks, but an invalid value is refused, as in daprd.
 * - `refused`: turning it on is refused, because it is not supported and ignoring it would be
 *   unsafe.
 * - `ignored`: it has no effect.
 */
export type PropertyEffect = 'used' | 'checked' | 'refused' | 'ignored';

/**
 * All properties of daprd's `lock.redis`, and four of our own (caCert, tlsServerName,
 * minReplicasToAcknowledge, acknowledgeOnDisk).
 * docs/configuration.md has the same table.
 */
export const REDIS_PROPERTIES = {
  redisHost: 'used',
  redisPort: 'used',
  redisUsername: 'used',
  redisPassword: 'used',
  redisDB: 'used',
  redisType: 'used',
  dialTimeout: 'used',
  readTimeout: 'used',
  writeTimeout: 'used',
  enableTLS: 'used',
  insecureSkipTLSVerify: 'used',
  clientCert: 'used',
  clientKey: 'used',
  caCert: 'used',
  tlsServerName: 'used',
  keyPrefix: 'used',
  failover: 'used',
  sentinelMasterName: 'used',
  sentinelUsername: 'used',
  sentinelPassword: 'used',
  minReplicasToAcknowledge: 'used',
  acknowledgeOnDisk: 'used',
  useEntraID: 'refused',
  useOIDC: 'refused',
  concurrency: 'checked',
  queueDepth: 'checked',
  maxLenApprox: 'checked',
  ttlInSeconds: 'checked',
  redisMaxRetries: 'checked',
  poolSize: 'checked',
  minIdleConns: 'checked',
  processingTimeout: 'checked',
  redeliverInterval: 'ignored',
  streamTTL: 'checked',
  redisMinRetryInterval: 'checked',
  redisMaxRetryInterval: 'checked',
  poolTimeout: 'checked',
  maxConnAge: 'checked',
  idleTimeout: 'checked',
  idleCheckFrequency: 'checked',
  maxRetries: 'ignored',
  maxRetryBackoff: 'ignored',
  consumerID: 'ignored',
} as const satisfies Readonly<Record<string, PropertyEffect>>;

/** An unknown property, usually a typo. daprd ignores it silently. */
export interface UnknownProperty {
  readonly name: string;
  /** The known name that was probably meant. */
  readonly nearest: string | undefined;
}

/** The unknown names among the given ones. */
export function findUnknownProperties(names: readonly string[]): readonly UnknownProperty[] {
  const known = Object.keys(REDIS_PROPERTIES);
  const lower = new Set(known.map((name) => name.toLowerCase()));
  return names
    .filter((name) => !lower.has(name.toLowerCase()))
    .map((name) => ({ name, nearest: findNearest(name, known) }));
}

/** The properties with one effect. */
export function propertiesOf(effect: PropertyEffect): readonly string[] {
  return Object.entries(REDIS_PROPERTIES)
    .filter(([, value]) => value === effect)
    .map(([name]) => name);
}
