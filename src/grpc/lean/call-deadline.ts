import type { DeadlineQueue, Timed } from '../../base/deadline-queue';
import { type GrpcStatus, statusOf } from '../grpc-status';
import { parseTimeout } from '../grpc-timeout';
import { Status } from '../status';

/** A call that may have a deadline. */
export interface ExpiringCall extends Timed {
  /** The deadline has passed. */
  expire(): void;
}

/** The deadlines of all calls of a server. */
export interface CallDeadlines {
  /** One timer for all of them. */
  readonly deadlines: DeadlineQueue<ExpiringCall>;
  /** Monotonic, in milliseconds: the clock of the deadlines. */
  readonly now: () => number;
}

/**
 * Starts the deadline of a call, if it has one.
 *
 * @param timeout the header `grpc-timeout`
 * @returns the status with which to refuse a call whose header has another form
 */
export function startDeadline(
  call: ExpiringCall,
  timeout: string | undefined,
  { deadlines, now }: CallDeadlines,
): GrpcStatus | undefined {
  if (timeout === undefined) return undefined;
  const timeoutMs = parseTimeout(timeout);
  if (timeoutMs === undefined) {
    return statusOf(Status.INTERNAL, `Invalid grpc-timeout value "${timeout}"`);
  }
  deadlines.set(call, now() + timeoutMs);
  return undefined;
}

/** The status of a call whose deadline has passed. */
export function pastDeadline(): GrpcStatus {
  return statusOf(Status.DEADLINE_EXCEEDED, 'Deadline exceeded');
}

/** The status of a call with one request that has none or several, in the words of grpc-js. */
export function wrongCount(what: 'a second' | 'no', path: string): GrpcStatus {
  return statusOf(
    Status.UNIMPLEMENTED,
    `Received ${what} request message for server streaming method ${path}`,
  );
}
