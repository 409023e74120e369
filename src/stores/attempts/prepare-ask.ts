import type { CancelSignal } from '../../base/cancellation';
import type { Clock } from '../../base/clock';
import { toEndReason } from '../../lock/call-policy';
import { StoreError } from '../../lock/lock-store';
import { type AskCall, waitOver } from '../../lock/store-abilities';
import type { Attempts } from './attempts';
import { CallDeadline, TimeOverError } from './call-deadline';
import type { TimeLimits } from './command';
import type { Link } from './link';

/** The inputs that the asks of a queue have in common. */
interface AskTerms<L extends Link, Session> {
  readonly attempts: Attempts<L>;
  readonly limits: TimeLimits;
  readonly clock: Clock;
  /** Aborts when the caller of the ask no longer waits. */
  readonly signal: CancelSignal;
  /**
   * The present session of the tickets, or the opening of a new one. Asks share an opening, so it must
   * not end with the ask that began it. Each ask waits for it only within its own limits, which are
   * given.
   */
  readonly openSession: (limits: TimeLimits) => Promise<Session> | Session;
}

/**
 * Opens the session of an ask, and limits the ask's time. To be called before each send of an ask.
 *
 * @throws {StoreError} if it fails, or the waiter's time is over. An ask before this one may have
 *   been granted without an answer: the error says so
 */
export async function prepareAsk<L extends Link, Session>(
  call: AskCall,
  { attempts, limits, clock, signal, openSession }: AskTerms<L, Session>,
): Promise<{ readonly session: Session; readonly limits: TimeLimits }> {
  const limitNow = () => limitTo(limits, call.waitUntilMs - clock.now());
  try {
    const limitsOfOpening = limitNow();
    if (signal.aborted) throw notOpened(toEndReason(signal), 'deadline');
    const opened = openSession(limitsOfOpening);
    const timeoutMs = limitsOfOpening.callTimeoutMs;
    const session =
      opened instanceof Promise ? await waitFor(opened, { timeoutMs, signal, clock }) : opened;
    return { session, limits: limitNow() };
  } catch (error) {
    throw attempts.toFinal(error, { attempt: call.attempt, leaseMs: call.ttlMs });
  }
}

/**
 * No send may take effect after the waiter's deadline. One send keeps its own limit: a link that has
 * less time to answer is not silent, and serves others.
 */
function limitTo({ tryTimeoutMs, callTimeoutMs }: TimeLimits, leftMs: number): TimeLimits {
  if (leftMs < 1) throw waitOver();
  return { tryTimeoutMs, callTimeoutMs: Math.min(callTimeoutMs, Math.floor(leftMs)) };
}

/** Waits for an opening. Whatever it fails with, the ask itself was not sent. */
async function waitFor<Session>(
  opening: Promise<Session>,
  limit: {
    readonly timeoutMs: number;
    readonly signal: CancelSignal;
    readonly clock: Clock;
  },
): Promise<Session> {
  const deadline = new CallDeadline(limit);
  try {
    return await deadline.wait(opening);
  } catch (error) {
    if (error instanceof TimeOverError) throw notOpened(toText(error, deadline), 'deadline');
    if (!(error instanceof StoreError) || error.outcome !== 'unknown') throw error;
    // The cause has the text without the outcome.
    const { message } = error.cause instanceof StoreError ? error.cause : error;
    throw notOpened(message, error.kind, error);
  } finally {
    deadline.clear();
  }
}

function toText({ reason }: TimeOverError, { timeoutMs, goneReason }: CallDeadline): string {
  if (reason === 'gone') return goneReason;
  return `the store did not open a session for waiting within ${timeoutMs} ms`;
}

function notOpened(message: string, kind: StoreError['kind'], cause?: StoreError): StoreError {
  return new StoreError(message, { kind, outcome: 'not-applied', cause, reason: cause?.reason });
}
