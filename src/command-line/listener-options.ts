import { parseGoDuration } from '../go/go-values';
import type { TlsFiles } from '../servers/listen-address';
import type { FlagValues } from './argv';
import { OptionsError } from './options-error';

/** A TCP port and its address. An empty address means all addresses. */
export interface PortAddress {
  readonly host: string;
  readonly port: number;
}

/** Address and port of the metrics server. */
export interface MetricsAddress extends PortAddress {
  /** True if the command line sets the port. Then the start fails if the port is in use. */
  readonly isRequired: boolean;
}

/** The flags that set a port. */
export type PortFlag =
  | 'dapr-http-port'
  | 'dapr-grpc-port'
  | 'dapr-internal-grpc-port'
  | 'dapr-public-port'
  | 'metrics-port'
  | 'app-port';

/**
 * Address of the public port (health and metadata only), or undefined if there is none.
 *
 * @throws {OptionsError} for an invalid port
 */
export function toPublicAddress(flags: FlagValues): PortAddress | undefined {
  if (['', '0'].includes(flags.text('dapr-public-port'))) return undefined;
  const host = withoutBrackets(flags.text('dapr-public-listen-address'));
  return { host, port: toPort(flags, 'dapr-public-port') };
}

/**
 * Address of the metrics server, or undefined if metrics are turned off.
 *
 * @throws {OptionsError} for an invalid port
 */
export function toMetricsAddress(flags: FlagValues): MetricsAddress | undefined {
  if (!flags.boolean('enable-metrics')) return undefined;
  return {
    host: withoutBrackets(flags.text('metrics-listen-address')),
    port: toPort(flags, 'metrics-port'),
    isRequired: flags.has('metrics-port'),
  };
}

/** daprd's default in milliseconds, also used for 0. */
const DEFAULT_RECONCILE_MS = 60_000;

/**
 * How often the resource folders are read even without a change, in milliseconds.
 *
 * @param text a duration in Go's syntax
 * @throws {OptionsError} for anything else, and for a negative duration
 */
export function toReconcileInterval(text: string): number {
  try {
    const ms = parseGoDuration(text);
    if (ms >= 0) return ms === 0 ? DEFAULT_RECONCILE_MS : Math.max(100, Math.min(ms, 2 ** 31 - 1));
  } catch {
    // Reported below, together with negative durations.
  }
  throw new OptionsError(
    `invalid value for --hot-reload-reconcile-interval: ${JSON.stringify(text)} (allowed: a duration such as 60s)`,
  );
}

/**
 * The certificate files of the API ports, or undefined for plain connections.
 *
 * @throws {OptionsError} if only one of certificate and key is given
 */
export function toTlsFiles(flags: FlagValues): TlsFiles | undefined {
  const [cert, key] = [flags.text('tls-cert-file'), flags.text('tls-key-file')];
  const clientCa = orUndefined(flags.text('tls-client-ca-file'));
  if (cert !== '' && key !== '') return { cert, key, clientCa };
  if (cert === '' && key === '' && clientCa === undefined) return undefined;
  throw new OptionsError('TLS needs both --tls-cert-file and --tls-key-file');
}

const HIGHEST_PORT = 65_535;

/** The meaning of 0, for port flags that accept it. */
const ZERO_PORT: Readonly<Partial<Record<PortFlag, string>>> = {
  'app-port': 'none',
  'dapr-internal-grpc-port': 'a port that Holdfast chooses',
  'dapr-public-port': 'none',
  'metrics-port': 'any free port',
};

/**
 * Reads a port, 0 to 65535. An empty --app-port is 0.
 *
 * @throws {OptionsError} for anything else
 */
export function toPort(flags: FlagValues, name: PortFlag): number {
  const text = flags.text(name);
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (port <= HIGHEST_PORT) return port;
  if (name === 'app-port' && text === '') return 0;
  const zero = ZERO_PORT[name];
  const allowed = `1 to ${HIGHEST_PORT}${zero === undefined ? '' : `, 0 for ${zero}`}`;
  throw new OptionsError(
    `error parsing ${name} flag: ${JSON.stringify(text)} is not a port (allowed: ${allowed})`,
  );
}

/** Removes the brackets of an IPv6 address, as Node needs it. */
export function withoutBrackets(address: string): string {
  return address.trim().replace(/^\[(.*)\]$/, '$1');
}

/** Turns an empty text into undefined. */
export function orUndefined(text: string): string | undefined {
  return text === '' ? undefined : text;
}
