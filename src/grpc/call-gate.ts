import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';

import { ByteAccount, ByteBudget } from '../servers/byte-budget';
import { type ApiRefusals, isExempt } from './api-refusals';
import type { CallLimits } from './grpc-js-call';
import { dropEndlessDeadline } from './grpc-timeout';
import { full } from './inflate';
import { endStream, NO_GRPC, toTrailersOnly } from './trailers-only';
import { Visitors } from './visitors';

/** What calls without a token, health checks, may hold together, in bytes. */
const EXEMPT_BYTES = 4 * 1024 * 1024;

/** How much of a health check is kept: no service has so long a name. In bytes. */
export const EXEMPT_KEPT_BYTES = 4096;

/** What the requests of all connections may hold together, unless messages may be longer. In bytes. */
const HELD_BYTES = 24 * 1024 * 1024;

/** How many of the longest messages there is room for at least. */
const LONGEST_MESSAGES = 4;

/** The share of all that may be held that one connection may take. */
const CONNECTION_SHARE = 0.5;

/** Headers up to this size are not counted: there are no more of them than streams. In bytes. */
const UNCOUNTED_HEADER_BYTES = 2048;

/** Reflection is asked for names, and its requests are decoded by a library. The limit is in bytes. */
const REFLECTION_PREFIX = '/grpc.reflection.';
const REFLECTION_BYTES = 65_536;

/** Messages on one call: of a unary one the second is refused, reflection is asked a few times. */
const MESSAGES_A_CALL = 1000;

/** A call of which the headers have come. */
export interface BegunCall {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly headerBytes: number;
  /** What the calls of its connection may hold together. */
  readonly budget: ByteBudget;
  /** What it holds, once it was let in; to be settled when its stream closes. */
  account?: ByteAccount;
}

/**
 * Lets through what may be called, by whom, and as much as there is room for. It looks at headers
 * alone: nothing of a call that is refused is read.
 */
export class CallGate {
  readonly #refusals: ApiRefusals;
  readonly #maxMessageBytes: number;
  readonly #visitors = new Visitors();
  readonly #held: ByteBudget;
  readonly #heldByExempt = new ByteBudget(EXEMPT_BYTES);

  constructor(options: {
    readonly refusals: ApiRefusals;
    /** Longest message taken, in bytes; -1 for no limit, and then there is none on all of them. */
    readonly maxMessageBytes: number;
  }) {
    const { refusals, maxMessageBytes } = options;
    this.#refusals = refusals;
    this.#maxMessageBytes = maxMessageBytes;
    this.#held = new ByteBudget(
      maxMessageBytes === -1 ? Infinity : Math.max(HELD_BYTES, LONGEST_MESSAGES * maxMessageBytes),
    );
  }

  /** What the calls of a new connection may hold. */
  createBudget(): ByteBudget {
    return new ByteBudget(this.#held.bytes * CONNECTION_SHARE, this.#held);
  }

  /** What a call may take, which is its account then; undefined for one that has been refused, and is answered. */
  admit(call: BegunCall): CallLimits | undefined {
    const { stream, headers, headerBytes, budget } = call;
    const path = headers[':path'] ?? '';
    const exempt = isExempt(path);
    const account = new ByteAccount(exempt ? this.#heldByExempt : budget);
    const refusal = this.#refusalOf(path, headers) ?? payForHeaders(account, headerBytes);
    if (refusal !== undefined) {
      endStream(stream, refusal);
      return undefined;
    }
    call.account = account;
    if (exempt) this.#visitors.add(stream);
    dropEndlessDeadline(headers);
    return {
      account,
      maxBytes: path.startsWith(REFLECTION_PREFIX) ? REFLECTION_BYTES : this.#maxMessageBytes,
      keptBytes: exempt ? EXEMPT_KEPT_BYTES : undefined,
      maxMessages: MESSAGES_A_CALL,
    };
  }

  #refusalOf(path: string, headers: IncomingHttpHeaders): OutgoingHttpHeaders | undefined {
    if (headers['content-type']?.startsWith('application/grpc') !== true) return NO_GRPC;
    const refusal = this.#refusals.of(path, headers);
    return refusal === undefined ? undefined : toTrailersOnly(refusal);
  }
}

function payForHeaders(account: ByteAccount, bytes: number): OutgoingHttpHeaders | undefined {
  if (bytes <= UNCOUNTED_HEADER_BYTES || account.take(bytes)) return undefined;
  return toTrailersOnly(full());
}
