/** A connection string of libpq, in the terms of this store. */
export interface ConnectionString {
  /** The servers, in the order in which they are tried. */
  readonly addresses: readonly [PostgresqlAddress, ...PostgresqlAddress[]];
  /** The other parameters by name. Their values may be secret. */
  readonly parameters: ReadonlyMap<ParameterName, string>;
}

/** The address of a server. A host that begins with a slash is the folder of a Unix socket. */
export interface PostgresqlAddress {
  readonly host: string;
  readonly port: number;
}

/** The parameters that are used. `dbname` and `database` are the same. */
const PARAMETERS = [
  'user',
  'password',
  'dbname',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'application_name',
  'connect_timeout',
  'options',
] as const;

/** Parameters of libpq and pgx that need no effect here: the store does the same without them. */
const WITHOUT_EFFECT = ['target_session_attrs', 'client_encoding', 'sslnegotiation'];

/** The name of a parameter that is used. */
export type ParameterName = (typeof PARAMETERS)[number];

const DEFAULT_HOST = 'localhost';
const DEFAULT_PORT = '5432';

/** A pair of the form without a scheme: a word, or text in single quotes. */
const PAIR = /\s*(\w+)\s*=\s*('(?:[^'\\]|\\.)*'|(?:[^\s'\\]|\\.)*)(?:\s+|$)/sy;

/**
 * Reads a connection string in one of the two forms of libpq: `postgresql://user@host:port/name?…`,
 * or `host=… user=…`. Several hosts are separated by commas.
 *
 * @throws {Error} that never quotes the text, because it may contain a password
 */
export function parseConnectionString(text: string): ConnectionString {
  const pairs = /^postgres(?:ql)?:\/\//.test(text) ? readUri(text) : readPairs(text);
  const hosts = pairs.get('host') ?? DEFAULT_HOST;
  const addresses = toAddresses(hosts.split(','), (pairs.get('port') ?? '').split(','));
  return { addresses, parameters: toParameters(pairs) };
}

/** The address as it appears in messages. */
export function toAddressText({ host, port }: PostgresqlAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function readPairs(text: string): Map<string, string> {
  const pairs = new Map<string, string>();
  PAIR.lastIndex = 0;
  while (PAIR.lastIndex < text.length) {
    const [, name = '', value = ''] = PAIR.exec(text) ?? [];
    if (name === '') throw malformed();
    const bare = value.startsWith("'") ? value.slice(1, -1) : value;
    pairs.set(name.toLowerCase(), bare.replace(/\\(.)/gs, '$1'));
  }
  return pairs;
}

/** Node's URL allows one host only, so the hosts are split off first. */
function readUri(text: string): Map<string, string> {
  const parts = /^\w+:\/\/(?:([^@/?]*)@)?([^/?@]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(text);
  if (parts === null) throw malformed();
  const [, login = '', hosts = '', name = '', query = ''] = parts;
  const [user = '', ...password] = login.split(':');
  const split = hosts.split(',').map(splitPort);
  const pairs = new Map<string, string>();
  const put = (key: string, value: string): void => {
    if (value !== '') pairs.set(key, decode(value));
  };
  put('user', user);
  put('password', password.join(':'));
  put('dbname', name);
  put('host', split.map(({ host }) => host).join(','));
  if (split.some(({ port }) => port !== '')) {
    pairs.set('port', split.map(({ port }) => port).join(','));
  }
  for (const pair of query.split('&').filter(Boolean)) {
    const [key = '', ...value] = pair.split('=');
    pairs.set(decode(key).toLowerCase(), decode(value.join('=')));
  }
  return pairs;
}

function splitPort(entry: string): { readonly host: string; readonly port: string } {
  const [, bracketed, bare = '', port = ''] =
    /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/s.exec(entry) ?? [];
  return { host: bracketed ?? bare, port };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw malformed();
  }
}

function toAddresses(
  hosts: readonly string[],
  ports: readonly string[],
): [PostgresqlAddress, ...PostgresqlAddress[]] {
  if (ports.length > 1 && ports.length !== hosts.length) {
    throw new Error(
      `connectionString has ${hosts.length} hosts, but ${ports.length} ports (allowed: one for each host, or one for all)`,
    );
  }
  const toAddress = (host: string, index: number): PostgresqlAddress => ({
    host: host === '' ? DEFAULT_HOST : host,
    port: toPort(ports[index] ?? ports[0] ?? ''),
  });
  const [first = '', ...rest] = hosts;
  return [toAddress(first, 0), ...rest.map((host, index) => toAddress(host, index + 1))];
}

function toPort(text: string): number {
  const port = /^\d+$/.test(text === '' ? DEFAULT_PORT : text) ? Number(text || DEFAULT_PORT) : NaN;
  if (port >= 1 && port <= 65_535) return port;
  throw new Error('connectionString has no valid port (allowed: 1 to 65535)');
}

function toParameters(pairs: ReadonlyMap<string, string>): ReadonlyMap<ParameterName, string> {
  const parameters = new Map<ParameterName, string>();
  for (const [key, value] of pairs) {
    if (['host', 'port', ...WITHOUT_EFFECT].includes(key)) continue;
    const name = PARAMETERS.find((each) => each === (key === 'database' ? 'dbname' : key));
    if (name === undefined) throw unknownParameter();
    parameters.set(name, value);
  }
  return parameters;
}

/** A part of a password that was not escaped may look like a parameter, so no name is quoted. */
function unknownParameter(): Error {
  const allowed = ['host', 'port', ...PARAMETERS, ...WITHOUT_EFFECT].join(', ');
  return new Error(
    `connectionString has a parameter that is not known (allowed: ${allowed}; a password with special characters must be percent-encoded in a URI, and quoted otherwise)`,
  );
}

function malformed(): Error {
  return new Error(
    'connectionString can\'t be read (allowed: "postgresql://user:password@host:5432/name?sslmode=verify-full", with special characters percent-encoded, or "host=… user=… password=… dbname=…")',
  );
}
