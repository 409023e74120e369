import { isIPv6 } from 'node:net';

/** Where the sidecar behind this one listens, for one of the two protocols. */
export interface UpstreamEndpoint {
  /** The endpoint as it is shown in logs and errors. */
  readonly shown: string;
  /** True for TLS. A unix socket never has it. */
  readonly isTls: boolean;
  readonly address:
    { readonly host: string; readonly port: number } | { readonly socketPath: string };
}

/** The forms of an endpoint, for error texts. */
const FORMS = 'host:port, http://host:port, https://host:port or unix:///path/to.socket';

const HIGHEST_PORT = 65_535;

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** Linux's sun_path without its final zero, in bytes. */
const LONGEST_SOCKET_PATH = 107;

/**
 * Parses the endpoint of --upstream-grpc-endpoint or --upstream-http-endpoint. Only a URL with a
 * scheme may leave the port out.
 *
 * @throws {Error} that says what is wrong and what is allowed
 */
export function parseEndpoint(text: string): UpstreamEndpoint {
  if (text.startsWith('unix:')) return parseSocket(text);
  const hasScheme = /^https?:\/\//i.test(text);
  const url = toUrl(text, hasScheme);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = portOf(text, url, hasScheme);
  const isTls = url.protocol === 'https:';
  const place = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
  return { shown: `${isTls ? 'https' : 'http'}://${place}`, isTls, address: { host, port } };
}

function toUrl(text: string, hasScheme: boolean): URL {
  const url = parseUrl(hasScheme ? text : `http://${text}`);
  if (url === undefined || /\s/.test(text) || (!hasScheme && text.includes('://'))) {
    throw new Error(`it is not an endpoint (allowed: ${FORMS})`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new Error(`it must not contain a user or a password (allowed: ${FORMS})`);
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw new Error(`it must not contain a path or a query (allowed: ${FORMS})`);
  }
  return url;
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** The URL parser removes a port that is its scheme's default. */
function portOf(text: string, url: URL, hasScheme: boolean): number {
  const isWritten = /:\d+\/?$/.test(text);
  if (!isWritten && !hasScheme) throw new Error(`its port is missing (allowed: ${FORMS})`);
  const port = url.port === '' ? (DEFAULT_PORTS[url.protocol] ?? 0) : Number(url.port);
  if (port >= 1 && port <= HIGHEST_PORT) return port;
  throw new Error(`${port} is not a port (allowed: 1 to ${HIGHEST_PORT})`);
}

/** `unix:path`, `unix:/path` and `unix:///path`, as gRPC names sockets. */
function parseSocket(text: string): UpstreamEndpoint {
  const socketPath = text.slice('unix:'.length).replace(/^\/\/(?=\/)/, '');
  if (socketPath === '' || socketPath.startsWith('//')) {
    throw new Error(`it names no socket file (allowed: ${FORMS})`);
  }
  if (Buffer.byteLength(socketPath) > LONGEST_SOCKET_PATH) {
    throw new Error(`the path of its socket is longer than ${LONGEST_SOCKET_PATH} bytes`);
  }
  return { shown: `unix:${socketPath}`, isTls: false, address: { socketPath } };
}
