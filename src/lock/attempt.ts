import { RandomHex } from './random-hex';

/**
 * The identity of one client call, kept over every send and every retry of it. Owner names are no
 * identities: Dapr's how-to gives one name to every instance of an app.
 *
 * Handed on as the same object, never copied: a store may remember by it what it has sent.
 */
export interface Attempt {
  /** Random and unique: 128 bits. */
  readonly id: string;
  /** What the store remembers of it, for its retries and its withdrawal; no business of others. */
  memory: unknown;
}

const ID_BYTES = 16;

/** Shared by all, as node:crypto's own UUIDs share theirs: nothing of it can be seen. */
const random = new RandomHex();

/** Makes the attempt of a new client call. */
export function createAttempt(): Attempt {
  return { id: random.take(ID_BYTES), memory: undefined };
}
