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

/** How to reach a Redis and how long to wait for it: the component's metadata, checked. */
export interface RedisSettings {
  /** The Redis, or the Sentinels that know it; without Sentinel only the first counts. */
  readonly addresses: readonly [RedisAddress, ...RedisAddress[]];
  /** Undefined where the address is the Redis itself. */
  readonly sentinel: SentinelSettings | undefined;
  /** Empty for the default user. */
  readonly username: string;
  /** Empty for none; never logged. */
  readonly password: string;
  readonly database: number;
  /** Undefined for a plain connection. */
  readonly tls: RedisTls | undefined;
  /** For opening a connection, handshake included; 5 s by default. */
  readonly dialTimeoutMs: number;
  /** For one send of an Unlock; 3 s by default. */
  readonly readTimeoutMs: number;
  /** For one send of a TryLock; readTimeout by default. */
  readonly writeTimeoutMs: number;
  /** For a whole Unlock: readTimeout where the component sets it, as in daprd, else 10 s. */
  readonly unlockTimeoutMs: number;
  /** For a whole TryLock: writeTimeout where the component sets it, as in daprd, else 10 s. */
  readonly tryLockTimeoutMs: number;
}

/** How to ask Sentinels for the master of a name. */
export interface SentinelSettings {
  readonly masterName: string;
  /** The name as messages may quote it. */
  readonly shownMasterName: string;
  /** Of the Sentinels themselves; empty for none. */
  readonly username: string;
  readonly password: string;
}

/** daprd's defaults (go-redis), in milliseconds. */
const DEFAULT_DIAL_TIMEOUT_MS = 5000;
const DEFAULT_READ_TIMEOUT_MS = 3000;

/** For all sends of a call together, in milliseconds. */
const DEFAULT_CALL_TIMEOUT_MS = 10_000;

/**
 * What stands for no time-out, in milliseconds: as long as callers' own deadlines go. A reply that
 * was lost with its connection would be waited for for ever, and no withdrawal could end.
 */
export const UNBOUNDED_TIMEOUT_MS = 60_000;

const TIMEOUTS = ['dialTimeout', 'readTimeout', 'writeTimeout'] as const;

/** How the values that are only checked are written: those of a time, the others are counts. */
const CHECKED_DURATION = /(?:Timeout|Interval|TTL|Age|Frequency)$/;

/** Those that Go reads as uint. */
const CHECKED_UNSIGNED: readonly string[] = ['concurrency', 'queueDepth'];

/** As far as Node's timers reach, in milliseconds: some 24 days, and longer than anybody waits. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * Reads the settings of a `lock.redis` component (docs/configuration.md has the table).
 *
 * @param authorities who is trusted where the component names nobody
 * @throws {Error} with daprd's sentences, every value that does not parse in one
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
    sentinel: readSentinel(properties, reader),
    tls: readTls(properties, reader, authorities),
    dialTimeoutMs: dialMs ?? DEFAULT_DIAL_TIMEOUT_MS,
    readTimeoutMs,
    writeTimeoutMs,
    unlockTimeoutMs: readMs ?? Math.max(DEFAULT_CALL_TIMEOUT_MS, readTimeoutMs),
    tryLockTimeoutMs: writeMs ?? Math.max(DEFAULT_CALL_TIMEOUT_MS, writeTimeoutMs),
  };
  reader.assertNoProblems();
  assertServed(refused, properties);
  const addresses = toRedisAddresses(properties, port);
  assertComplete(settings);
  return Object.freeze({ addresses, ...settings });
}

/** The time-outs that are off, as go-redis has it, and so {@link UNBOUNDED_TIMEOUT_MS}. */
export function findUnboundedTimeouts(properties: MetadataProperties): readonly string[] {
  return TIMEOUTS.filter((name) => {
    const text = properties.get(name);
    return text !== undefined && parseRedisDuration(text) < 0;
  });
}

/** Reads values and collects what is wrong with them, so that all of it is reported together. */
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

function assertComplete({ sentinel }: Pick<RedisSettings, 'sentinel'>): void {
  if (sentinel?.masterName !== '') return;
  throw new Error(
    'failover needs sentinelMasterName: the name of the master in Sentinel, such as mymaster',
  );
}

function assertServed(refused: readonly string[], properties: MetadataProperties): void {
  const type = properties.get('redisType') ?? '';
  if (type === 'cluster') {
    throw new Error('this component does not support connecting to Redis Cluster');
  }
  if (refused.length > 0) {
    throw new Error(
      `${refused.join(', ')}: signing in to Redis by Microsoft Entra ID or OIDC is not supported; remove it, or set it to false and give redisUsername and redisPassword`,
    );
  }
}

/** How a property that has no effect is read, by its Go type in daprd's settings.go. */
function parserOf(name: string): (text: string) => unknown {
  if (CHECKED_UNSIGNED.includes(name)) return parseGoUnsigned;
  return CHECKED_DURATION.test(name) ? parseRedisDuration : parseGoInt64;
}

/** Go's int, as far as a number can hold it. */
function parseCount(text: string): number {
  return parseGoInteger(text, { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
}

/** go-redis selects none that is below 0, which leaves 0. */
function parseDatabase(text: string): number {
  return Math.max(0, parseCount(text));
}

/** 0 counts as absent: Go can't tell the two apart. */
function parsePort(text: string): number | undefined {
  return parseGoInteger(text, { min: 0, max: 65_535 }) || undefined;
}

/**
 * Reads a time-out as go-redis does: 0 is its default, here undefined, and less than 0 none. What no
 * timer of Node can measure is the nearest that one can: 1 ms, or {@link LONGEST_TIMEOUT_MS}.
 */
function parseTimeout(text: string): number | undefined {
  const timeoutMs = parseRedisDuration(text);
  if (timeoutMs === 0) return undefined;
  if (timeoutMs < 0) return UNBOUNDED_TIMEOUT_MS;
  return Math.min(Math.max(timeoutMs, 1), LONGEST_TIMEOUT_MS);
}
