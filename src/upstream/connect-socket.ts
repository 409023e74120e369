import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext } from 'node:tls';

import type { UpstreamEndpoint } from './endpoint';

/** How long a connection may take, with TLS and HTTP/2's first settings, in milliseconds. */
export const CONNECT_TIMEOUT_MS = 5000;

/** The silence after which the kernel asks whether the upstream's machine is still there, in ms. */
const TCP_KEEPALIVE_MS = 15_000;

/** The options of a connection beside its endpoint. */
export interface SocketOptions {
  /** The protocol to agree on within TLS. */
  readonly alpn: 'h2' | 'http/1.1';
  /** Creates the TLS context. Called only if the endpoint has TLS. */
  readonly secureContext: () => SecureContext;
}

/** Opens a connection to an endpoint. TLS certificates are always checked. */
export function connectSocket(
  { address, isTls }: UpstreamEndpoint,
  { alpn, secureContext }: SocketOptions,
): Socket {
  if ('socketPath' in address) return connectTcp({ path: address.socketPath });
  const { host, port } = address;
  const settings = { host, port, keepAlive: true, keepAliveInitialDelay: TCP_KEEPALIVE_MS };
  if (!isTls) return connectTcp({ ...settings, noDelay: true });
  return connectTls({
    ...settings,
    secureContext: secureContext(),
    ALPNProtocols: [alpn],
    // A server name must not be an IP address (RFC 6066, 3).
    ...(isIP(host) === 0 ? { servername: host } : {}),
  });
}

/** Explanations of the errors of connecting. */
const SENTENCES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'it closed the connection',
  EHOSTUNREACH: 'there is no way to its machine',
  ENETUNREACH: 'there is no way to its network',
  ENOENT: 'the socket file does not exist',
  ENOTFOUND: 'there is no host with this name',
  EAI_AGAIN: 'its name could not be looked up',
  EPIPE: 'it closed the connection',
  EACCES: 'this user may not use the socket',
  ETIMEDOUT: 'it did not answer in time',
};

/**
 * nghttp2 ends a connection for a block of headers in more than nine frames, each of the 16 KiB that
 * HTTP/2 allows at first. grpc-go never sends longer ones.
 */
const TOO_MANY_FRAMES = /\bCONTINUATION frames\b/;
const TOO_LONG_HEADERS = 'its headers or trailers are too long (allowed: 144 KiB, compressed)';

/** Explains why a connection failed: a sentence with the error's code, or the error's message. */
export function describeConnectError(error: unknown): string {
  const { code, message } = toParts(error);
  const sentence = Object.hasOwn(SENTENCES, code) ? SENTENCES[code] : undefined;
  if (sentence !== undefined) return `${sentence} (${code})`;
  if (TOO_MANY_FRAMES.test(message)) return TOO_LONG_HEADERS;
  return message === '' ? code : message;
}

function toParts(error: unknown): { readonly code: string; readonly message: string } {
  if (typeof error !== 'object' || error === null) return { code: '', message: String(error) };
  // If a name has several addresses, the error that collects theirs has no message.
  const first: unknown = 'errors' in error && Array.isArray(error.errors) ? error.errors[0] : error;
  const { code = '', message = '' } = first as { code?: string; message?: string };
  return { code, message };
}
