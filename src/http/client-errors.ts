import type { Socket } from 'node:net';

import type { FastifyReply } from 'fastify';

const BAD_REQUEST = '400 Bad Request';
const HEADERS_TOO_LARGE = '431 Request Header Fields Too Large';

/** What the codes of Node's HTTP parser begin with. */
const PARSE_ERROR = 'HPE_';

/**
 * Answers what is no HTTP request, as Go's server does, and closes the connection. One on which there is
 * nothing to answer is closed without a word: its headers did not come in time, its TLS handshake
 * failed (an answer would wait for ever to be encrypted), its client is gone.
 */
export function answerClientError(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code?.startsWith(PARSE_ERROR) !== true || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? HEADERS_TOO_LARGE : BAD_REQUEST;
  socket.end(toPlainResponse(status));
}

/** Answers a URL whose escapes are invalid, which Go's server refuses before any routing. */
export function answerBadUrl(reply: FastifyReply): FastifyReply {
  return reply
    .code(400)
    .header('content-type', 'text/plain; charset=utf-8')
    .header('connection', 'close')
    .send(BAD_REQUEST);
}

/** A whole HTTP/1.1 response whose body is its status, in the form of Go's server. */
function toPlainResponse(status: string): string {
  return [
    `HTTP/1.1 ${status}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${status.length}`,
    'Connection: close',
    '',
    status,
  ].join('\r\n');
}
