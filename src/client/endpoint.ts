/** The environment variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where a sidecar listens. */
export interface Endpoint {
  /** A gRPC target: `dns:host:port`, `unix:/path`, … */
  readonly target: string;
  readonly isTls: boolean;
  /** True on this machine: no proxy is asked for the way. */
  readonly isLocal: boolean;
}

/** Certificates in PEM. Without authorities, those that Node trusts. */
export interface TlsCertificates {
  /** The certificate authorities to trust. */
  readonly ca?: Buffer | undefined;
  /** The client's own certificate, where the sidecar asks for one. */
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
}

/** An address that can't be used. The message says what is allowed. */
export class EndpointError extends Error {
  override readonly name = 'EndpointError';
}

/** Dapr's default port for gRPC. */
const DEFAULT_PORT = 50_001;

/** The port of an address without one, as in Dapr's SDKs. */
const PORT_WITHOUT_ONE = '443';

const ALLOWED =
  'allowed: host:port, http://host:port, https://host:port, dns:host:port, unix:/path, unix-abstract:name, each but the first three with ?tls=true';

/**
 * Where the sidecar is: the address if there is one, else as Dapr's SDKs find it: DAPR_GRPC_ENDPOINT, else port
 * DAPR_GRPC_PORT (50001) of 127.0.0.1. An empty variable counts as not set.
 *
 * @throws {EndpointError} if it is not an address
 */
export function findEndpoint(address: string | undefined, environment: Environment): Endpoint {
  if (address !== undefined) return parseEndpoint(address);
  const { DAPR_GRPC_ENDPOINT: endpoint = '', DAPR_GRPC_PORT: port = '' } = environment;
  try {
    if (endpoint !== '') return parseEndpoint(endpoint);
    return parseEndpoint(`127.0.0.1:${port === '' ? DEFAULT_PORT : port}`);
  } catch (error) {
    if (!(error instanceof EndpointError)) throw error;
    const name = endpoint === '' ? 'DAPR_GRPC_PORT' : 'DAPR_GRPC_ENDPOINT';
    throw new EndpointError(`${name}: ${error.message}`);
  }
}

/**
 * Reads an address in the forms that Dapr's Go SDK accepts (dapr/go-sdk client/internal/parse.go).
 *
 * @throws {EndpointError} for anything else
 */
export function parseEndpoint(address: string): Endpoint {
  try {
    const { place, isTls } = splitQuery(address);
    const { scheme, rest } = splitScheme(place);
    const isSecure = isTls ?? (scheme === 'https' || scheme === 'grpcs');
    if (isTls !== undefined && scheme.startsWith('http')) fail('says tls= beside http or https');
    if (rest === '') fail('is empty');
    if (scheme.startsWith('unix')) {
      return { target: `${scheme}:${rest.replace(/^\/\//, '')}`, isTls: isSecure, isLocal: true };
    }
    return { ...toNetwork(scheme, rest), isTls: isSecure };
  } catch (error) {
    if (!(error instanceof EndpointError)) throw error;
    throw new EndpointError(`${JSON.stringify(address)} ${error.message} (${ALLOWED})`);
  }
}

function fail(what: string): never {
  throw new EndpointError(what);
}

function splitQuery(address: string): {
  readonly place: string;
  readonly isTls: boolean | undefined;
} {
  const [place = '', query] = address.split(/\?(.*)/s);
  if (query === undefined) return { place, isTls: undefined };
  if (!/^tls=(?:true|false)$/.test(query)) fail('has a query other than tls=true and tls=false');
  return { place, isTls: query === 'tls=true' };
}

function splitScheme(place: string): { readonly scheme: string; readonly rest: string } {
  if (place.startsWith('/')) return { scheme: 'unix', rest: place };
  const found = /^(https?|grpcs?|dns|unix|unix-abstract):(.*)$/s.exec(place);
  const [, scheme = '', rest = place] = found ?? [];
  return { scheme, rest };
}

/** `//host:port` or `host:port`; for dns also `//name-server/host:port`. */
function toNetwork(scheme: string, rest: string): Omit<Endpoint, 'isTls'> {
  const named = scheme === 'dns' ? /^(\/\/[^/]+\/)(.+)$/.exec(rest) : null;
  const [, server = '', place = rest] = named ?? [];
  const { host, port } = splitPort(place.replace(/^\/\//, '').replace(/\/$/, ''));
  const isLocal = /^(?:localhost|127\.[\d.]+|\[::1\])$/i.test(host);
  return { target: `dns:${server}${host}:${port}`, isLocal };
}

/** An empty host is this machine, as in Go. */
function splitPort(place: string): { readonly host: string; readonly port: string } {
  if (place.includes('/')) fail('has a path, or a scheme that is unknown');
  const found = /^(\[[\da-f:.%]+\]|[^:[\]\s]*)(?::(\d+))?$/i.exec(place);
  if (found === null) fail('is not a host and a port');
  const [, host = '', port = PORT_WITHOUT_ONE] = found;
  if (Number(port) < 1 || Number(port) > 65_535) fail('has a port beyond 1 to 65535');
  return { host: host === '' ? 'localhost' : host, port };
}
