import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import type { FastifyReply } from 'fastify';

const BAD_REQUEST = '400 Bad Request';
const METHOD_NOT_ALLOWED = '405 Method Not Allowed';
const HEADERS_TOO_LARGE = '431 Request Header Fields Too Large';

const NOT_IMPLEMENTED = '501 Not Implemented';
const UNSUPPORTED_ENCODING = 'Unsupported transfer encoding';

/** The prefix of the error codes of Node's HTTP parser. */
const PARSE_ERROR = 'HPE_';

/** The parser's code for data after a request with `Connection: close`. */
const AFTER_LAST_REQUEST = 'HPE_CLOSED_CONNECTION';

/**
 * Answers an invalid HTTP request as Go's server does, and closes the connection. Data after the
 * last request of a connection is ignored: the answer to that request closes the connection. The
 * connection is closed without an answer if there is nobody to answer: the headers did not arrive
 * in time, the TLS handshake failed (an answer would wait forever to be encrypted), or the client
 * has disconnected.
 */
export function answerClientError(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === AFTER_LAST_REQUEST) return;
  if (error.code?.startsWith(PARSE_ERROR) !== true || !socket.writable) {
    socket.destroy();
    return;
  }
  endWith(socket, ...toParserRefusal(error.code, error.message));
}

/**
 * The transfer encodings that the parser itself refuses differ between versions of Node.
 * {@link answerUnsupported} refuses the others. The parser uses the same code for a transfer encoding
 * together with a content length.
 */
function toParserRefusal(code: string, message: string): readonly [status: string, text?: string] {
  if (code === 'HPE_HEADER_OVERFLOW') return [HEADERS_TOO_LARGE];
  if (code !== 'HPE_INVALID_TRANSFER_ENCODING' || message.includes('Content-Length')) {
    return [BAD_REQUEST];
  }
  return [NOT_IMPLEMENTED, UNSUPPORTED_ENCODING];
}

const VERSION_NOT_SUPPORTED = '505 HTTP Version Not Supported';
const HOST = 'host';

/**
 * Answers a request that Node accepts but Go's server does not (net/http, readRequest and
 * parseTransferEncoding), and closes the connection. A proxy in front of the sidecar might read the
 * body, or the host, of such a request differently.
 *
 * @returns true if the request was answered
 */
export function answerUnsupported(request: IncomingMessage): boolean {
  const refusal = toRefusal(request);
  if (refusal !== undefined) endWith(request.socket, ...refusal);
  return refusal !== undefined;
}

function toRefusal(request: IncomingMessage): readonly [status: string, text: string] | undefined {
  const { 'transfer-encoding': encoding } = request.headers;
  if (request.httpVersionMajor !== 1) {
    return [VERSION_NOT_SUPPORTED, `${VERSION_NOT_SUPPORTED}: unsupported protocol version`];
  }
  if (encoding !== undefined && encoding.toLowerCase() !== 'chunked') {
    return [NOT_IMPLEMENTED, UNSUPPORTED_ENCODING];
  }
  // Go ignores the encoding then, and the body with it.
  if (encoding !== undefined && request.httpVersionMinor === 0) return [BAD_REQUEST, BAD_REQUEST];
  if (hasTwoHosts(request)) return [BAD_REQUEST, `${BAD_REQUEST}: too many Host headers`];
  return undefined;
}

function hasTwoHosts({ rawHeaders }: IncomingMessage): boolean {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.length === HOST.length && rawHeaders[at]?.toLowerCase() === HOST)
      hosts += 1;
  }
  return hosts > 1;
}

/**
 * How long a connection stays open after its last answer, in milliseconds. The value is that of
 * Go's server.
 */
const LINGER_MS = 500;

/**
 * Sends a last answer. If the client does not close the connection within {@link LINGER_MS}, the
 * server does.
 */
function endWith(socket: Duplex, status: string, text = status): void {
  socket.end(toPlainResponse(status, text));
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

/**
 * Answers CONNECT: this is no proxy for any host. Node would close the connection without a word.
 */
export function answerConnect(_request: IncomingMessage, socket: Duplex): void {
  socket.on('error', () => undefined);
  endWith(socket, METHOD_NOT_ALLOWED);
}

/** Answers a URL with invalid escapes. Go's server refuses it before routing. */
export function answerBadUrl(reply: FastifyReply): FastifyReply {
  return reply
    .code(400)
    .header('content-type', 'text/plain; charset=utf-8')
    .header('connection', 'close')
    .send(BAD_REQUEST);
}

/** A complete HTTP/1.1 response in the format of Go's server. */
function toPlainResponse(status: string, text: string): string {
  return [
    `HTTP/1.1 ${status}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${text.length}`,
    'Connection: close',
    '',
    text,
  ].join('\r\n');
}
