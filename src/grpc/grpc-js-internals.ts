import type { Http2Server, IncomingHttpHeaders } from 'node:http2';

import { type Server, type ServerDuplexStream, status } from '@grpc/grpc-js';

import { statusOf } from './grpc-status';

/**
 * Two things that grpc-js (1.14) gives no public way to do. Both reach into private fields of its
 * Server; tests over the wire fail if an upgrade moves them.
 */

interface Handler {
  readonly type: 'bidi';
  readonly path: string;
  readonly serialize: (bytes: Buffer) => Buffer;
  readonly deserialize: (bytes: Buffer) => Buffer;
  readonly func: (call: ServerDuplexStream<Buffer, Buffer>) => void;
}

interface ServerInternals {
  handlers: ReadonlyMap<string, Handler>;
  readonly http2Servers: ReadonlyMap<Http2Server, unknown>;
}

function internalsOf(server: Server): ServerInternals {
  return server as unknown as ServerInternals;
}

/**
 * Answers methods that nobody registered. grpc-js answers those by itself, before any interceptor
 * runs: a caller without the API token could then tell which methods exist. With this they pass
 * the interceptors like every call and then get UNIMPLEMENTED with a message that names them.
 */
export function answerUnknownMethods(server: Server): void {
  const internals = internalsOf(server);
  internals.handlers = new HandlersWithFallback(internals.handlers);
}

class HandlersWithFallback extends Map<string, Handler> {
  override get(path: string): Handler {
    return super.get(path) ?? createUnimplementedHandler(path);
  }
}

/** A stream in both directions: it can be ended at once, whatever kind of call was made. */
function createUnimplementedHandler(path: string): Handler {
  return {
    type: 'bidi',
    path,
    serialize: (bytes: Buffer) => bytes,
    deserialize: (bytes: Buffer) => bytes,
    func: (call: ServerDuplexStream<Buffer, Buffer>) => {
      call.emit('error', statusOf(status.UNIMPLEMENTED, `Holdfast does not serve ${path}`));
    },
  };
}

/** Milliseconds in each unit of `grpc-timeout` (gRPC over HTTP/2, Requests). */
const TIMEOUT_UNITS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};

/** Node's longest timer, and where grpc-js cuts a time-out to 32 bits: about 24.8 days. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * Takes over-long deadlines off requests. grpc-js keeps the low 32 bits of a `grpc-timeout`, so
 * that a call with a deadline of 30 days is ended at once; such a call has no deadline in practice.
 *
 * Call it once the server is bound.
 */
export function ignoreEndlessDeadlines(server: Server): void {
  for (const http2Server of internalsOf(server).http2Servers.keys()) {
    http2Server.prependListener('stream', (_stream: unknown, headers: IncomingHttpHeaders) => {
      const timeout = headers['grpc-timeout'];
      if (typeof timeout === 'string' && toMilliseconds(timeout) > LONGEST_TIMEOUT_MS) {
        delete headers['grpc-timeout'];
      }
    });
  }
}

function toMilliseconds(timeout: string): number {
  const match = /^(\d{1,8}) *([HMSmun])$/.exec(timeout);
  return match === null ? 0 : Number(match[1]) * (TIMEOUT_UNITS[match[2] ?? ''] ?? 0);
}
