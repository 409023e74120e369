import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';

import { ByteAccount, ByteBudget } from '../servers/byte-budget';
import { type ApiRefusals, isExempt } from './api-refusals';
import { full } from './inflate';
import { NO_GRPC, toTrailersOnly } from './trailers-only';
import { type Visitor, Visitors } from './visitors';

/** Total memory for calls that need no token (health checks), in bytes. */
const EXEMPT_BYTES = 4 * 1024 * 1024;

/** How many bytes of a health check are kept. No service name is that long. */
export const EXEMPT_KEPT_BYTES = 4096;

/**
 * Total memory for the requests of all connections, in bytes. It is larger if the maximum message
 * size requires that.
 */
const HELD_BYTES = 24 * 1024 * 1024;

/** The minimum number of messages of maximum size for which there is room. */
const LONGEST_MESSAGES = 4;

/** The share of the total memory that one connection may use. */
const CONNECTION_SHARE = 0.5;

/**
 * Headers up to this size, in bytes, are not counted. Their number is limited by the number of
 * streams.
 */
const UNCOUNTED_HEADER_BYTES = 2048;

/**
 * A reflection request contains only names, and a library decodes it. It has its own size limit, in
 * bytes.
 */
const REFLECTION_PREFIX = '/grpc.reflection.';
const REFLECTION_BYTES = 65_536;

/**
 * Maximum number of messages on one call. A unary call is refused at the second message. Reflection
 * clients send a few.
 */
const MESSAGES_A_CALL = 1000;

/** The limits of one call. */
export interface CallLimits {
  /** Maximum size of a message, in bytes. -1 means no limit. */
  readonly maxBytes: number;
  /** How many bytes of a message are kept. Undefined means all of them. */
  readonly keptBytes: number | undefined;
  readonly maxMessages: number;
  /** Accounts for the memory that the call holds until its stream closes. */
  readonly account: ByteAccount;
}

/** The other end of a call. */
export interface Client extends Visitor {
  /** Ends the call with headers alone. The rest of the request is dropped. */
  refuse(headers: OutgoingHttpHeaders): void;
}

/** A call whose headers have arrived. */
export interface BegunCall {
  readonly client: Client;
  readonly headers: IncomingHttpHeaders;
  readonly headerBytes: number;
  /** The memory budget that all calls of its connection share. */
  readonly budget: ByteBudget;
  /** The call's memory account, set when the call is admitted. Settle it when the stream closes. */
  account?: ByteAccount;
}

/**
 * Admits calls by their headers: by method, by token and by available memory. It reads nothing else
 * of a call that it refuses.
 */
export class CallGate {
  readonly #refusals: ApiRefusals;
  readonly #maxMessageBytes: number;
  readonly #visitors = new Visitors();
  readonly #held: ByteBudget;
  readonly #heldByExempt = new ByteBudget(EXEMPT_BYTES);

  constructor(options: {
    readonly refusals: ApiRefusals;
    /**
     * Maximum size of a message, in bytes. -1 means no limit, and then the total memory has no
     * limit either.
     */
    readonly maxMessageBytes: number;
  }) {
    const { refusals, maxMessageBytes } = options;
    this.#refusals = refusals;
    this.#maxMessageBytes = maxMessageBytes;
    this.#held = new ByteBudget(
      maxMessageBytes === -1 ? Infinity : Math.max(HELD_BYTES, LONGEST_MESSAGES * maxMessageBytes),
    );
  }

  /** Creates the memory budget of a new connection. */
  createBudget(): ByteBudget {
    return new ByteBudget(this.#held.bytes * CONNECTION_SHARE, this.#held);
  }

  /**
   * Returns the limits of an admitted call and sets its account, or `passed` for an admitted call
   * that is passed on. Returns undefined for a refused call, which is then already answered.
   */
  admit(call: BegunCall): CallLimits | 'passed' | undefined {
    const { client, headers, headerBytes, budget } = call;
    const path = headers[':path'] ?? '';
    const exempt = isExempt(path);
    const account = new ByteAccount(exempt ? this.#heldByExempt : budget);
    const refusal = this.#refusalOf(path, headers) ?? payForHeaders(account, headerBytes);
    if (refusal !== undefined) {
      client.refuse(refusal);
      return undefined;
    }
    call.account = account;
    if (this.#refusals.isPassed(path)) return 'passed';
    if (exempt) this.#visitors.add(client);
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
