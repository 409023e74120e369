import { randomUUID } from 'node:crypto';

/**
 * Identifies one client call across all its sends and retries. Owner names don't: Dapr's how-to
 * gives the same name to every instance of an app.
 *
 * Pass on the same object and never copy it, because a store may keep its record of sends in it.
 */
export interface Attempt {
  /** A random UUID as 32 hexadecimal digits. Scripts of stores rely on that form. */
  readonly id: string;
  /** State of the store for retries and withdrawal. Only the store may use it. */
  memory: unknown;
}

/** Creates the attempt of a new client call. */
export function createAttempt(): Attempt {
  return { id: randomUUID().replaceAll('-', ''), memory: undefined };
}
