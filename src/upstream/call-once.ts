import type { ClientHttp2Stream, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';

import { toFrame, toMessages } from '../base/grpc-frames';
import { runWithin } from '../base/race';
import { MOST_COLLECTED_BYTES } from './collected-answers';
import type { SessionPool } from './session-pool';

/** A gRPC call of this sidecar's own: one message, and its answers. */
export interface OwnCall {
  readonly path: string;
  readonly message: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** How long the call may take, in milliseconds. */
  readonly afterMs: number;
}

/** The answer of the upstream. */
export interface OwnAnswer {
  /** The gRPC status code. Undefined if the call ended without one. */
  readonly status: number | undefined;
  readonly messages: readonly Buffer[];
}

/**
 * Makes a gRPC call of any kind with one message.
 *
 * @throws {Error} if there is no connection, or no complete answer in time
 */
export function callOnce(pool: SessionPool, call: OwnCall): Promise<OwnAnswer> {
  return runWithin({ afterMs: call.afterMs }, async (over) => {
    const session = await pool.open();
    let stream: ClientHttp2Stream;
    try {
      // The connection may have taken longer than the call may.
      over.throwIfAborted();
      stream = session.request(toHeaders(call));
    } catch (error) {
      pool.give(session);
      throw error;
    }
    stream.once('close', () => {
      pool.give(session);
    });
    over.addEventListener('abort', () => {
      stream.destroy(new Error('it did not answer in time'));
    });
    return new Promise<OwnAnswer>((resolve, reject) => {
      const pieces: Buffer[] = [];
      let bytes = 0;
      let last: IncomingHttpHeaders = {};
      const note = (headers: IncomingHttpHeaders): void => {
        last = headers;
      };
      stream.on('error', reject).on('response', note).on('trailers', note);
      stream.on('data', (piece: Buffer) => {
        bytes += piece.length;
        pieces.push(piece);
        if (bytes > MOST_COLLECTED_BYTES) stream.destroy(new Error('its answer is too long'));
      });
      stream.once('close', () => {
        const given = last['grpc-status'];
        const status = given === undefined ? undefined : Number(given);
        resolve({ status, messages: toMessages(Buffer.concat(pieces)) });
      });
      stream.end(toFrame(call.message));
    });
  });
}

function toHeaders({ path, headers }: OwnCall): OutgoingHttpHeaders {
  return {
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    'grpc-accept-encoding': 'identity',
    te: 'trailers',
    ...headers,
  };
}
