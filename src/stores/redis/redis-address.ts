import type { MetadataProperties } from '../../components/metadata-properties';

/** The address of a Redis. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

const DEFAULT_PORT = 6379;

/**
 * Reads `redisHost` and `redisPort` as daprd does: a list of hosts. A host without a port gets
 * redisPort, or else 6379. A bare IPv6 address has no port. All addresses are Sentinels; without
 * Sentinel only the first is used.
 *
 * @throws {Error} with daprd's sentence, if there is no host or if both properties name a port
 */
export function toRedisAddresses(
  properties: MetadataProperties,
  redisPort: number | undefined,
): readonly [RedisAddress, ...RedisAddress[]] {
  const redisHost = properties.get('redisHost') ?? '';
  const [first = '', ...others] = redisHost.split(',').map((entry) => entry.trim());
  if (first === '') throw new Error('metadata property redisHost is empty');
  const rest = others.filter((entry) => entry !== '');
  const toEntry = (entry: string) => toAddress(entry, redisPort, properties);
  return [toEntry(first), ...rest.map(toEntry)];
}

/** The address as it appears in messages. */
export function toAddressText({ host, port }: RedisAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function toAddress(
  entry: string,
  redisPort: number | undefined,
  properties: MetadataProperties,
): RedisAddress {
  const showHost = (text: string) => properties.show('redisHost', text);
  const { host, port } = splitPort(entry, showHost(entry));
  if (port === undefined) return { host, port: redisPort ?? DEFAULT_PORT };
  if (redisPort !== undefined && redisPort !== port) {
    const shownPort = properties.show('redisPort', String(redisPort));
    throw new Error(
      `redis host "${showHost(entry)}" already contains port ${showHost(String(port))}, but redisPort is set to ${shownPort}; either remove the port from redisHost or remove the redisPort setting`,
    );
  }
  return { host, port };
}

function splitPort(
  entry: string,
  shown: string,
): { readonly host: string; readonly port: number | undefined } {
  const bracketed = /^\[(.*)\](?::(\d*))?$/.exec(entry);
  if (bracketed !== null) return { host: bracketed[1] ?? '', port: toPort(bracketed[2], shown) };
  const parts = entry.split(':');
  if (parts.length !== 2) return { host: entry, port: undefined };
  return { host: parts[0] ?? '', port: toPort(parts[1], shown) };
}

function toPort(text: string | undefined, shown: string): number | undefined {
  if (text === undefined || text === '') return undefined;
  const port = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(port >= 1 && port <= 65_535)) {
    throw new Error(`redis host "${shown}" has no valid port (allowed: 1 to 65535)`);
  }
  return port;
}
