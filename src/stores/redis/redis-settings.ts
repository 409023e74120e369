import type { MetadataProperties } from '../../components/metadata-properties';
import {
  MetadataValueError,
  parseGoBoolean,
  parseGoInt64,
  parseGoInteger,
  parseGoUnsigned,
  parseRedisDuration,
} from '../../go/go-values';
import { SystemAuthorities } from '../../trust/system-authorities';
import { type RedisAddress, toRedisAddresses } from './redis-address';
import { propertiesOf } from './redis-properties';
import { readPem, type RedisTls } from './redis-tls';

/** Validated metadata of the component: how to reach a Redis, and its timeouts. */
export interface RedisSettings {
  /** The Redis, its Sentinels, or nodes of the cluster. For one Redis only the first is used. */
  readonly addresses: readonly [RedisAddress, ...RedisAddress[]];
  /** True if the addresses are those of nodes of a Redis Cluster. */
  readonly isCluster: boolean;
  /** Undefined if the address is that of the Redis itself. */
  readonly sentinel: SentinelSettings | undefined;
  /** Empty for the default user. */
  readonly username: string;
  /** Empty for none. Never logged. */
  readonly password: string;
  readonly database: number;
  /** How many replicas must have a grant before it is answered. 0 for none. */
  readonly minReplicasToAcknowledge: number;
  /** True if the master and these replicas must have it on disk. */
  readonly acknowledgeOnDisk: boolean;
  /** Undefined for a connection without TLS. */
  readonly tls: RedisTls | undefined;
  /** Timeout for opening a connection, handshake included. Default: 5 s. */
  readonly dialTimeoutMs: number;
  /** Timeout for one send of an Unlock. Default: 3 s. */
  readonly readTimeoutMs: number;
  /** Timeout for one send of a TryLock. Default: readTimeout. */
  readonly writeTimeoutMs: number;
  /**
   * Timeout for a whole Unlock: readTimeout if the component sets it, as in daprd. Otherwise 10 s.
   */
  readonly unlockTimeoutMs: number;
  /**
   * Timeout for a whole TryLock: writeTimeout if the component sets it, as in daprd. Otherwise 10
   * s.
   */
  readonly tryLockTimeoutMs: number;
}

/** How to ask Sentinels for the master of a given name. */
export interface SentinelSettings {
  readonly masterName: string;
  /** The name in the form that messages may quote. */
  readonly shownMasterName: string;
  /** User name for the Sentinels themselves. Empty for none. */
  readonly username: string;
  readonly password: string;
}

/** daprd's defaults (go-redis), in milliseconds. */
const DEFAULT_DIAL_TIMEOUT_MS = 5000;
const DEFAULT_READ_TIMEOUT_MS = 3000;

/** Timeout for all sends of a call together, in milliseconds. */
const DEFAULT_CALL_TIMEOUT_MS = 10_000;

/**
 * Replaces a timeout that is turned off, in milliseconds. It is as long as callers' own deadlines
 * are. Without any limit, a reply that was lost with its connection would be awaited forever, and
 * no withdrawal could end.
 */
export const UNBOUNDED_TIMEOUT_MS = 60_000;

/**
 * The least writeTimeout with acknowledgeOnDisk, in milliseconds. Servers tell only once a second what they have on disk, and
 * a send may wait for two looks at that: the one before it, and its own.
 */
const LEAST_WRITE_TIMEOUT_ON_DISK_MS = 6000;

const TIMEOUTS = ['dialTimeout', 'readTimeout', 'writeTimeout'] as const;

/** Names of checked properties that are durations. The other checked properties are counts. */
const CHECKED_DURATION = /(?:Timeout|Interval|TTL|Age|Frequency)$/;

/** Checked properties that Go reads as uint. */
const CHECKED_UNSIGNED: readonly string[] = ['concurrency', 'queueDepth'];

/** Node's longest timer, in milliseconds: about 24 days, longer than any caller waits. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * Parses the settings of a `lock.redis` component (docs/configuration.md has the table).
 *
 * @param authorities the trusted authorities if the component names none
 * @throws {Error} with daprd's sentences; one error reports all invalid values
 */
export function parseRedisSettings(
  properties: MetadataProperties,
  authorities = new SystemAuthorities({}),
): RedisSettings {
  const reader = new ValueReader(properties);
  for (const name of propertiesOf('checked')) {
    reader.read(name, parserOf(name), undefined);
  }
  const port = reader.read('redisPort', parsePort, undefined);
  const [dialMs, readMs, writeMs] = TIMEOUTS.map((name) =>
    reader.read(name, parseTimeout, undefined),
  );
  const readTimeoutMs = readMs ?? DEFAULT_READ_TIMEOUT_MS;
  const writeTimeoutMs = writeMs ?? readTimeoutMs;
  const refused = propertiesOf('refused').filter((name) =>
    reader.read(name, parseGoBoolean, false),
  );
  const settings = {
    username: properties.get('redisUsername') ?? '',
    password: properties.get('redisPassword') ?? '',
    database: reader.read('redisDB', parseDatabase, 0),
    isCluster: properties.get('redisType') === 'cluster',
    sentinel: readSentinel(properties, reader),
    minReplicasToAcknowledge: reader.read('minReplicasToAcknowledge', parseReplicas, 0),
    acknowledgeOnDisk: reader.read('acknowledgeOnDisk', parseGoBoolean, false),
    tls: readTls(properties, reader, authorities),
    dialTimeoutMs: dialMs ?? DEFAULT_DIAL_TIMEOUT_MS,
    readTimeoutMs,
    writeTimeoutMs,
    unlockTimeoutMs: readMs ?? Math.max(DEFAULT_CALL_TIMEOUT_MS, readTimeoutMs),
    tryLockTimeoutMs: writeMs ?? Math.max(DEFAULT_CALL_TIMEOUT_MS, writeTimeoutMs),
  };
  reader.assertNoProblems();
  assertServed(refused);
  const addresses = toRedisAddresses(properties, port);
  assertComplete(settings);
  assertOnDisk(settings);
  return Object.freeze({ addresses, ...settings });
}

/** The timeouts that are turned off as in go-redis. {@link UNBOUNDED_TIMEOUT_MS} replaces them. */
export function findUnboundedTimeouts(properties: MetadataProperties): readonly string[] {
  return TIMEOUTS.filter((name) => {
    const text = properties.get(name);
    return text !== undefined && parseRedisDuration(text) < 0;
  });
}

/** Reads values and collects their errors, so that all of them are reported together. */
class ValueReader {
  readonly #properties: MetadataProperties;
  readonly #problems = new Map<string, string>();

  constructor(properties: MetadataProperties) {
    this.#properties = properties;
  }

  read<T, Default>(name: string, parse: (text: string) => T, absent: Default): T | Default {
    const text = this.#properties.get(name);
    if (text === undefined) return absent;
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof MetadataValueError)) throw error;
      this.#problems.set(name, error.describe(this.#properties.show(name, error.value)));
      return absent;
    }
  }

  assertNoProblems(): void {
    if (this.#problems.size === 0) return;
    const lines = [...this.#problems].map(([name, text]) => `* error decoding '${name}': ${text}`);
    throw new Error(
      `redis client configuration error: decode failed. ${lines.length} error(s) decoding:\n\n${lines.sort().join('\n')}`,
    );
  }
}

function readTls(
  properties: MetadataProperties,
  reader: ValueReader,
  authorities: SystemAuthorities,
): RedisTls | undefined {
  const enabled = reader.read('enableTLS', parseGoBoolean, false);
  const skipVerify = reader.read('insecureSkipTLSVerify', parseGoBoolean, false);
  if (!enabled) return undefined;
  const pem = (name: string) => {
    const value = properties.get(name) ?? '';
    return value === '' ? undefined : readPem(name, value);
  };
  const [cert, key, ca] = [pem('clientCert'), pem('clientKey'), pem('caCert')];
  const serverName = properties.get('tlsServerName') ?? '';
  return {
    authorities,
    rejectUnauthorized: !skipVerify,
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    ...(ca === undefined ? {} : { ca }),
    ...(serverName === '' ? {} : { serverName }),
  };
}

function readSentinel(
  properties: MetadataProperties,
  reader: ValueReader,
): SentinelSettings | undefined {
  if (!reader.read('failover', parseGoBoolean, false)) return undefined;
  const masterName = properties.get('sentinelMasterName') ?? '';
  return {
    masterName,
    shownMasterName: properties.show('sentinelMasterName', masterName),
    username: properties.get('sentinelUsername') ?? '',
    password: properties.get('sentinelPassword') ?? '',
  };
}

function assertComplete({
  sentinel,
  isCluster,
  database,
  minReplicasToAcknowledge,
}: Pick<RedisSettings, 'sentinel' | 'isCluster' | 'database' | 'minReplicasToAcknowledge'>): void {
  if (minReplicasToAcknowledge > 0 && !isCluster && sentinel === undefined) {
    throw new Error(
      'minReplicasToAcknowledge needs failover or redisType cluster: a single Redis has no replicas',
    );
  }
  if (isCluster && sentinel !== undefined) {
    throw new Error(
      'failover and redisType cluster exclude each other: failover asks Sentinels, which a cluster does not have',
    );
  }
  if (isCluster && database !== 0) {
    throw new Error('redisDB must be 0 with redisType cluster: a cluster has no other database');
  }
  if (sentinel?.masterName !== '') return;
  throw new Error(
    'failover needs sentinelMasterName: the name of the master in Sentinel, such as mymaster',
  );
}

function assertOnDisk(settings: Omit<RedisSettings, 'addresses'>): void {
  if (!settings.acknowledgeOnDisk) return;
  if (settings.minReplicasToAcknowledge === 0) {
    throw new Error(
      'acknowledgeOnDisk needs minReplicasToAcknowledge of at least 1: it says where these replicas must have a lock',
    );
  }
  if (settings.writeTimeoutMs >= LEAST_WRITE_TIMEOUT_ON_DISK_MS) return;
  throw new Error(
    'acknowledgeOnDisk needs writeTimeout of at least 6s: servers tell only once a second what they have on disk',
  );
}

function assertServed(refused: readonly string[]): void {
  if (refused.length > 0) {
    throw new Error(
      `${refused.join(', ')}: signing in to Redis by Microsoft Entra ID or OIDC is not supported; remove it, or set it to false and give redisUsername and redisPassword`,
    );
  }
}

/** Parses a property without effect by its Go type in daprd's settings.go. */
function parserOf(name: string): (text: string) => unknown {
  if (CHECKED_UNSIGNED.includes(name)) return parseGoUnsigned;
  return CHECKED_DURATION.test(name) ? parseRedisDuration : parseGoInt64;
}

/** Go's int, within the range of a JavaScript number. */
function parseCount(text: string): number {
  return parseGoInteger(text, { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
}

/** A number of replicas. Nobody has a hundred. */
function parseReplicas(text: string): number {
  return parseGoInteger(text, { min: 0, max: 100 });
}

/** go-redis does not select a database below 0, so database 0 is used. */
function parseDatabase(text: string): number {
  return Math.max(0, parseCount(text));
}

/** 0 counts as absent, because Go can't distinguish the two. */
function parsePort(text: string): number | undefined {
  return parseGoInteger(text, { min: 0, max: 65_535 }) || undefined;
}

/**
 * Reads a timeout as go-redis does: 0 means its default (here undefined), a negative value means no
 * timeout. A value that Node's timers do not support is replaced by the nearest supported one: 1
 * ms, or {@link LONGEST_TIMEOUT_MS}.
 */
function parseTimeout(text: string): number | undefined {
  const timeoutMs = parseRedisDuration(text);
  if (timeoutMs === 0) return undefined;
  if (timeoutMs < 0) return UNBOUNDED_TIMEOUT_MS;
  return Math.min(Math.max(timeoutMs, 1), LONGEST_TIMEOUT_MS);
}
