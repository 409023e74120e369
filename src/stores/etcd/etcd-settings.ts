import type { MetadataProperties } from '../../components/metadata-properties';
import { MetadataValueError, parseGoBoolean, parseGoDuration } from '../../go/go-values';
import { SystemAuthorities } from '../../trust/system-authorities';
import type { EtcdProperty } from './etcd-properties';
import { type EtcdTls, type PemProperty, readPem } from './etcd-tls';

/** Validated metadata of the component: how to reach an etcd, and its timeouts. */
export interface EtcdSettings {
  /** The members, `host:port` each. */
  readonly endpoints: readonly [string, ...string[]];
  /** Stands before every key. Empty for none. */
  readonly keyPrefixPath: string;
  /** Empty for none. */
  readonly username: string;
  /** Never logged. */
  readonly password: string;
  /** Undefined for connections without TLS. */
  readonly tls: EtcdTls | undefined;
  /** Timeout for opening a connection, handshake included. Default: 5 s. */
  readonly dialTimeoutMs: number;
  /** Timeout for one send of a call. Default: 3 s. */
  readonly requestTimeoutMs: number;
  /** Timeout for all sends of a call: 10 s, or requestTimeout if that is longer. */
  readonly callTimeoutMs: number;
}

const DEFAULT_DIAL_TIMEOUT_MS = 5000;
const DEFAULT_REQUEST_TIMEOUT_MS = 3000;
const DEFAULT_CALL_TIMEOUT_MS = 10_000;

/** The bounds of a timeout, in milliseconds. */
const TIMEOUT_MS = { least: 1, most: 600_000 } as const;

/** etcd's port for clients, if an endpoint names none. */
const DEFAULT_PORT = '2379';

/**
 * Parses the settings of a `lock.etcd` component (docs/configuration.md has the table).
 *
 * @param authorities the trusted authorities if the component names none
 * @throws {Error} one error reports all invalid values
 */
export function parseEtcdSettings(
  properties: MetadataProperties,
  authorities = new SystemAuthorities({}),
): EtcdSettings {
  const reader = new Reader(properties);
  const isTls = reader.read('tlsEnable', parseGoBoolean) ?? false;
  const endpoints = reader.read('endpoints', (text) => toEndpoints(text, isTls));
  const dialTimeoutMs = reader.read('dialTimeout', toTimeout) ?? DEFAULT_DIAL_TIMEOUT_MS;
  const requestTimeoutMs = reader.read('requestTimeout', toTimeout) ?? DEFAULT_REQUEST_TIMEOUT_MS;
  const tls = isTls ? readTls(reader, authorities) : undefined;
  const [username, password] = [reader.text('username'), reader.text('password')];
  if (endpoints === undefined) reader.addMissing('endpoints', 'host:port of each member');
  if (username === '' && password !== '') reader.addMissing('username', 'the user of the password');
  if (username !== '' && password === '') reader.addMissing('password', 'the password of the user');
  reader.assertNoProblems();
  return Object.freeze({
    endpoints: endpoints as EtcdSettings['endpoints'],
    keyPrefixPath: reader.text('keyPrefixPath'),
    username,
    password,
    tls,
    dialTimeoutMs,
    requestTimeoutMs,
    callTimeoutMs: Math.max(DEFAULT_CALL_TIMEOUT_MS, requestTimeoutMs),
  });
}

/** Reads values and collects what is wrong with them, so that all of it is reported together. */
class Reader {
  readonly #properties: MetadataProperties;
  readonly #problems: string[] = [];

  constructor(properties: MetadataProperties) {
    this.#properties = properties;
  }

  text(name: EtcdProperty): string {
    return this.#properties.get(name) ?? '';
  }

  /** Undefined if the property is absent or empty, or its value is invalid. */
  read<T>(name: EtcdProperty, parse: (text: string) => T): T | undefined {
    const text = this.text(name);
    if (text === '') return undefined;
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const isValue = error instanceof MetadataValueError;
      const problem = isValue
        ? `${name}: ${error.describe(this.#properties.show(name, error.value))}`
        : error.message;
      this.#problems.push(problem);
      return undefined;
    }
  }

  addMissing(name: EtcdProperty, meaning: string): void {
    if (this.#problems.some((problem) => problem.startsWith(`${name}:`))) return;
    this.#problems.push(`${name}: missing (${meaning})`);
  }

  assertNoProblems(): void {
    if (this.#problems.length === 0) return;
    throw new Error(`etcd: invalid metadata: ${this.#problems.join('; ')}`);
  }
}

function readTls(reader: Reader, authorities: SystemAuthorities): EtcdTls {
  const read = (name: PemProperty) => {
    const source = reader.read(name, (value) => readPem(name, value));
    return source === undefined ? {} : { [name]: source };
  };
  const pem: EtcdTls['pem'] = { ...read('ca'), ...read('cert'), ...read('key') };
  if (pem.cert !== undefined && pem.key === undefined) reader.addMissing('key', 'the key of cert');
  if (pem.cert === undefined && pem.key !== undefined) {
    reader.addMissing('cert', 'the certificate of key');
  }
  const serverName = reader.text('tlsServerName');
  return { authorities, pem, serverName: serverName === '' ? undefined : serverName };
}

/** A list of members with commas. A scheme is allowed, as clients of etcd often write one. */
function toEndpoints(text: string, isTls: boolean): readonly string[] {
  return text.split(',').map((part) => toEndpoint(part.trim(), isTls));
}

function toEndpoint(text: string, isTls: boolean): string {
  const match = /^(?:(https?):\/\/)?(\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+)(?::(\d{1,5}))?\/?$/.exec(text);
  const [, scheme, host, port = DEFAULT_PORT] = match ?? [];
  if (host === undefined || Number(port) > 65_535 || Number(port) === 0) {
    throw new MetadataValueError(
      text,
      (shown) => `invalid endpoint "${shown}" (for example etcd-0.etcd:2379, with commas between)`,
    );
  }
  if (scheme !== undefined && (scheme === 'https') !== isTls) {
    throw new MetadataValueError(
      text,
      (shown) =>
        `"${shown}" contradicts tlsEnable; set it to ${scheme === 'https' ? 'true' : 'false'}`,
    );
  }
  return `${host}:${port}`;
}

function toTimeout(text: string): number {
  const timeoutMs = /^\d+$/.test(text) ? Number(text) : parseGoDuration(text);
  if (timeoutMs >= TIMEOUT_MS.least && timeoutMs <= TIMEOUT_MS.most) return timeoutMs;
  throw new MetadataValueError(text, (shown) => `"${shown}" (allowed: 1ms to 10m)`);
}
