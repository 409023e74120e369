import { findNearest } from '../../base/nearest-name';

/**
 * What becomes of a metadata property of `lock.redis`:
 * - `used`: it has the effect that it has in daprd;
 * - `checked`: it has no effect on locks here, but a value that does not parse is refused, as in daprd;
 * - `refused`: turning it on is refused, as it is out of scope and leaving it out would be unsafe;
 * - `ignored`: it has no effect.
 */
export type PropertyEffect = 'used' | 'checked' | 'refused' | 'ignored';

/** Every property that daprd's `lock.redis` knows, and two of ours (caCert, tlsServerName); docs/configuration.md has the same table. */
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

/** A property that nobody knows: mostly a slip, which daprd passes over silently. */
export interface UnknownProperty {
  readonly name: string;
  /** What it was probably meant to be. */
  readonly nearest: string | undefined;
}

/** The names among those given that nobody knows. */
export function findUnknownProperties(names: readonly string[]): readonly UnknownProperty[] {
  const known = Object.keys(REDIS_PROPERTIES);
  const lower = new Set(known.map((name) => name.toLowerCase()));
  return names
    .filter((name) => !lower.has(name.toLowerCase()))
    .map((name) => ({ name, nearest: findNearest(name, known) }));
}

/** The properties of one effect. */
export function propertiesOf(effect: PropertyEffect): readonly string[] {
  return Object.entries(REDIS_PROPERTIES)
    .filter(([, value]) => value === effect)
    .map(([name]) => name);
}
