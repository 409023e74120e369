import { randomUUID } from 'node:crypto';

/**
 * The identity of one client call, kept over every send and every retry of it. Owner names are no
 * identities: Dapr's how-to gives one name to every instance of an app.
 *
 * Handed on as the same object, never copied: a store may remember by it what it has sent.
 */
export interface Attempt {
  /** Unique: a random UUID in 32 hexadecimal digits, which is what the scripts of a store look for. */
  readonly id: string;
  /** What the store remembers of it, for its retries and its withdrawal; no business of others. */
  memory: unknown;
}

/** Makes the attempt of a new client call. */
export function createAttempt(): Attempt {
  return { id: randomUUID().replaceAll('-', ''), memory: undefined };
}
