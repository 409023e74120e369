import type { IncomingMessage } from 'node:http';

import type { ByteBudget } from '../servers/byte-budget';
import type { Turns } from '../servers/turns';
import { type HttpError, httpErrors } from './http-errors';

/**
 * Bytes that each request may bring without using the shared budget. No SDK sends a longer lock
 * call, so normal calls are accepted however many long bodies are in memory.
 */
const FREE_BYTES = 16 * 1024;

/**
 * Bodies from this size on, in bytes, wait for their turn to be decoded. Decoding one of this size
 * takes a millisecond.
 */
const LONG_BYTES = 64 * 1024;

/** Initial size of the buffer of a body, in bytes. */
const FIRST_BYTES = 1024;

/** The limits for reading bodies. */
export interface BodyBounds {
  /** Maximum length of a body in bytes, and the error for a longer one. */
  readonly longest: { readonly bytes: number; readonly refuse: () => HttpError };
  /** The budget for all bodies in memory, apart from {@link FREE_BYTES} of each. */
  readonly kept: ByteBudget;
  /** The queue in which long bodies wait to be decoded. */
  readonly turns: Turns;
}

/** Called once, with the error or the body. */
export type BodyCallback = (error: Error | null, body?: Buffer) => void;

/**
 * Reads a request's body into memory. The body stays there until `done` was called and the request
 * is answered. All pieces are copied into one buffer: chunked encoding allows
 * pieces of one byte, and each of them would take a hundred bytes.
 */
export class BodyReader {
  readonly #bounds: BodyBounds;
  #buffer: Buffer = Buffer.alloc(0);
  #length = 0;
  /** Bytes reserved from the budget. */
  #taken = 0;
  readonly #onAnswered: (release: () => void) => void;

  /**
   * @param onAnswered calls its argument when the request is answered. Used by long bodies only,
   * because a listener costs every call something.
   */
  constructor(bounds: BodyBounds, onAnswered: (release: () => void) => void) {
    this.#bounds = bounds;
    this.#onAnswered = onAnswered;
  }

  /**
   * Reads the body and calls `done` with it, with an {@link HttpError}, or with Node's error if the
   * client disconnected.
   */
  read(request: IncomingMessage, done: BodyCallback): void {
    const { longest, turns } = this.#bounds;
    const announced = lengthOf(request);
    if (announced > longest.bytes) {
      done(longest.refuse());
      return;
    }
    const end = (error: Error | null): void => {
      request.off('data', take).off('end', finish).off('error', end);
      if (error !== null) {
        this.#release();
        done(error);
      } else if (this.#length < LONG_BYTES) done(null, this.#body);
      else {
        turns.add(() => {
          done(null, this.#body);
        });
      }
    };
    const finish = (): void => {
      end(null);
    };
    const take = (piece: Buffer): void => {
      const refused = this.#append(piece, announced);
      if (refused !== undefined) end(refused);
    };
    request.on('data', take).on('end', finish).on('error', end);
  }

  /** Returns the body's memory to the budget. The body must not be used after that. */
  #release(): void {
    this.#bounds.kept.give(this.#taken);
    this.#taken = 0;
    this.#buffer = Buffer.alloc(0);
  }

  get #body(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  #append(piece: Buffer, announced: number): HttpError | undefined {
    const { longest } = this.#bounds;
    const length = this.#length + piece.length;
    if (length > longest.bytes) return longest.refuse();
    if (length > this.#buffer.length && !this.#grow(length, announced)) {
      return httpErrors.bodiesOverloaded();
    }
    piece.copy(this.#buffer, this.#length);
    this.#length = length;
    return undefined;
  }

  /**
   * Enlarges the buffer: to twice its size, or, for a long body, to the announced length. Returns
   * false if the budget is exhausted.
   */
  #grow(needed: number, announced: number): boolean {
    const doubled = Math.max(needed, 2 * this.#buffer.length, FIRST_BYTES);
    const isLong = needed > FREE_BYTES;
    const size = announced < needed ? doubled : isLong ? announced : Math.min(announced, doubled);
    const more = Math.max(0, size - FREE_BYTES) - this.#taken;
    if (more > 0) {
      if (!this.#bounds.kept.take(more)) return false;
      if (this.#taken === 0) {
        this.#onAnswered(() => {
          this.#release();
        });
      }
      this.#taken += more;
    }
    const grown = Buffer.allocUnsafe(size);
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
    return true;
  }
}

/** The announced length of a request's body in bytes. 0 if there is none. */
export function lengthOf({ headers }: IncomingMessage): number {
  return Number(headers['content-length'] ?? 0);
}
