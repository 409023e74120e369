import { parseGoDuration } from '../go/go-values';
import type { TlsFiles } from '../servers/listen-address';
import type { FlagValues } from './argv';

/** A TCP port at one address; an empty one is all. */
export interface PortAddress {
  readonly host: string;
  readonly port: number;
}

/** Where metrics are shown. */
export interface MetricsAddress extends PortAddress {
  /** True where the command line names the port: then it has to be had. */
  readonly isRequired: boolean;
}

/** Options that can't be run with; the message is daprd's where daprd has one. */
export class OptionsError extends Error {
  override readonly name = 'OptionsError';
}

/** The flags that name a port. */
export type PortFlag =
  | 'dapr-http-port'
  | 'dapr-grpc-port'
  | 'dapr-internal-grpc-port'
  | 'dapr-public-port'
  | 'metrics-port'
  | 'app-port';

/** Where health and metadata are shown alone; undefined for nowhere. */
export function toPublicAddress(flags: FlagValues): PortAddress | undefined {
  if (['', '0'].includes(flags.text('dapr-public-port'))) return undefined;
  const host = withoutBrackets(flags.text('dapr-public-listen-address'));
  return { host, port: toPort(flags, 'dapr-public-port') };
}

/** Where metrics are shown; undefined where they are turned off. */
export function toMetricsAddress(flags: FlagValues): MetricsAddress | undefined {
  if (!flags.boolean('enable-metrics')) return undefined;
  return {
    host: withoutBrackets(flags.text('metrics-listen-address')),
    port: toPort(flags, 'metrics-port'),
    isRequired: flags.has('metrics-port'),
  };
}

/** daprd's default, also for 0, in milliseconds. */
const DEFAULT_RECONCILE_MS = 60_000;

/** How often resource folders are read anyway, in milliseconds. */
export function toReconcileInterval(text: string): number {
  try {
    const ms = parseGoDuration(text);
    if (ms >= 0) return ms === 0 ? DEFAULT_RECONCILE_MS : Math.max(100, Math.min(ms, 2 ** 31 - 1));
  } catch {
    // Said below, as a negative one.
  }
  throw new OptionsError(
    `invalid value for --hot-reload-reconcile-interval: ${JSON.stringify(text)} (allowed: a duration such as 60s)`,
  );
}

/** The certificate of the API ports; undefined for plain connections. */
export function toTlsFiles(flags: FlagValues): TlsFiles | undefined {
  const [cert, key] = [flags.text('tls-cert-file'), flags.text('tls-key-file')];
  const clientCa = orUndefined(flags.text('tls-client-ca-file'));
  if (cert !== '' && key !== '') return { cert, key, clientCa };
  if (cert === '' && key === '' && clientCa === undefined) return undefined;
  throw new OptionsError('TLS needs both --tls-cert-file and --tls-key-file');
}

const HIGHEST_PORT = 65_535;

/** What 0 means to a flag of a port that takes it. */
const ZERO_PORT: Readonly<Partial<Record<PortFlag, string>>> = {
  'app-port': 'none',
  'dapr-internal-grpc-port': 'one of its own',
  'dapr-public-port': 'none',
  'metrics-port': 'any that is free',
};

/** A port, 0 where --app-port is empty. */
export function toPort(flags: FlagValues, name: PortFlag): number {
  const text = flags.text(name);
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (port <= HIGHEST_PORT) return port;
  if (name === 'app-port' && text === '') return 0;
  const zero = ZERO_PORT[name];
  const allowed = `1 to ${HIGHEST_PORT}${zero === undefined ? '' : `, 0 for ${zero}`}`;
  throw new OptionsError(
    `error parsing ${name} flag: ${JSON.stringify(text)} is no port (allowed: ${allowed})`,
  );
}

/** An address as Node takes it: IPv6 without brackets. */
export function withoutBrackets(address: string): string {
  return address.trim().replace(/^\[(.*)\]$/, '$1');
}

/** A text, undefined where it is empty. */
export function orUndefined(text: string): string | undefined {
  return text === '' ? undefined : text;
}
