import type { IncomingMessage } from 'node:http';

import type { ByteBudget } from '../servers/byte-budget';
import type { Turns } from '../servers/turns';
import { type HttpError, httpErrors } from './http-errors';

/**
 * What every request may bring without asking, in bytes: no call of an SDK is longer, so that they are
 * taken however many long bodies are kept.
 */
const FREE_BYTES = 16 * 1024;

/** A body from which on it waits for its turn to be decoded, in bytes: that takes a millisecond. */
const LONG_BYTES = 64 * 1024;

/** The first room that a body is given, in bytes. */
const FIRST_BYTES = 1024;

/** What bodies are read within. */
export interface BodyBounds {
  /** Longest body in bytes, and what is answered to a longer one. */
  readonly longest: { readonly bytes: number; readonly refuse: () => HttpError };
  /** Shared by all bodies that are kept, beyond {@link FREE_BYTES} of each. */
  readonly kept: ByteBudget;
  /** In which long bodies are decoded. */
  readonly turns: Turns;
}

/** Is told how it went, once. */
export type BodyCallback = (error: Error | null, body?: Buffer) => void;

/**
 * Reads a request's body into memory, in which it stays until `done` has been called and the request is
 * answered ({@link release}). It is copied piece by piece into one buffer: pieces of one byte, as chunked
 * encoding allows them, would each cost a hundred.
 */
export class BodyReader {
  readonly #bounds: BodyBounds;
  #buffer: Buffer = Buffer.alloc(0);
  #length = 0;
  /** Bytes taken of the budget. */
  #taken = 0;

  constructor(bounds: BodyBounds) {
    this.#bounds = bounds;
  }

  /** Rejects by `done` with an {@link HttpError}, or with Node's error where the client went away. */
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
        this.release();
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

  /** Gives back what the body took; it must not be used any more. */
  release(): void {
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

  /** Makes room: twice as much each time, or all that a long body says it has; false where the budget has none. */
  #grow(needed: number, announced: number): boolean {
    const doubled = Math.max(needed, 2 * this.#buffer.length, FIRST_BYTES);
    const isLong = needed > FREE_BYTES;
    const size = announced < needed ? doubled : isLong ? announced : Math.min(announced, doubled);
    const more = Math.max(0, size - FREE_BYTES) - this.#taken;
    if (more > 0) {
      if (!this.#bounds.kept.take(more)) return false;
      this.#taken += more;
    }
    const grown = Buffer.allocUnsafe(size);
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
    return true;
  }
}

/** The length that a request says its body has; 0 where it says none. */
export function lengthOf({ headers }: IncomingMessage): number {
  return Number(headers['content-length'] ?? 0);
}
