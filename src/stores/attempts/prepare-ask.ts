import type { Clock } from '../../base/clock';
import { type AskCall, waitOver } from '../../lock/store-abilities';
import type { Attempts } from './attempts';
import type { TimeLimits } from './command';
import type { Link } from './link';

/** The inputs that the asks of a queue have in common. */
interface AskTerms<L extends Link, Session> {
  readonly attempts: Attempts<L>;
  readonly limits: TimeLimits;
  readonly clock: Pick<Clock, 'now'>;
  /** The present session of the tickets, or a new one, which is opened within the given limits. */
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
  { attempts, limits, clock, openSession }: AskTerms<L, Session>,
): Promise<{ readonly session: Session; readonly limits: TimeLimits }> {
  const limitNow = () => limitTo(limits, call.waitUntilMs - clock.now());
  try {
    const session = await openSession(limitNow());
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
