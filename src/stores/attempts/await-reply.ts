import type { Clock } from '../../base/clock';
import { StoreError } from '../../lock/lock-store';
import { type CallDeadline, TimeOverError } from './call-deadline';
import type { Link } from './link';

/**
 * Waits for the reply to a send. The link is ended when it has been silent for as long as a reply
 * may take. If the call's own time is over before, only the call ends: the link serves others, and
 * its replies stay in order.
 *
 * @throws {StoreError} for every failure; no other error
 */
export function awaitReply<T>(link: Link, deadline: CallDeadline, reply: Promise<T>): Promise<T> {
  // Not an async function: hundreds of calls may wait here, and each would keep its frame.
  return deadline.wait(reply).catch((error: unknown) => {
    if (!(error instanceof TimeOverError)) throw explained(link, error);
    const isSilent = deadline.clock.now() >= deadline.silentAtMs;
    if (error.reason === 'timeout' && isSilent) throw giveUp(link, deadline);
    expectReply(link, deadline, reply);
    if (error.reason === 'timeout') throw noReply(toSilence(link, deadline.timeoutMs));
    throw noReply(`${deadline.goneReason} before ${link.serverName} replied`, deadline.goneReason);
  });
}

function explained(link: Link, cause: unknown): StoreError {
  const { error, useless } = link.explain(cause);
  if (useless !== undefined) link.end(useless);
  return error;
}

function giveUp(link: Link, { timeoutMs }: CallDeadline): StoreError {
  const message = toSilence(link, timeoutMs);
  link.end(new Error(message));
  return noReply(message);
}

/**
 * Ends a silent link in time even if nobody waits for this reply any more, because other calls use
 * the link or will use it.
 */
function expectReply(link: Link, deadline: CallDeadline, reply: Promise<unknown>): void {
  const { clock, silentAtMs, silentAfterMs: timeoutMs } = deadline;
  const settled = endIfSilent(link, { clock, afterMs: silentAtMs - clock.now(), timeoutMs });
  reply.then(settled, settled);
}

/**
 * Ends a link on which no reply has arrived after a time. As in {@link CallDeadline}, what has
 * arrived by then is read first.
 *
 * @param limit `timeoutMs` is for the error text, if the time began before
 * @returns a function to call when the reply has arrived
 */
export function endIfSilent(
  link: Link,
  limit: { readonly clock: Clock; readonly afterMs: number; readonly timeoutMs?: number },
): () => void {
  const { clock, afterMs, timeoutMs = afterMs } = limit;
  let timer = clock.after(Math.max(0, afterMs), () => {
    timer = clock.after(0, () => {
      link.end(new Error(toSilence(link, timeoutMs)));
    });
  });
  return () => {
    timer.close();
  };
}

/** The message for a server that has not replied for the given time. */
export function toSilence({ serverName }: Link, timeoutMs: number): string {
  return `${serverName} did not reply within ${timeoutMs} ms`;
}

function noReply(message: string, reason?: string): StoreError {
  return new StoreError(message, { kind: 'deadline', outcome: 'unknown', reason });
}
