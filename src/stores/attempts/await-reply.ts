import type { Clock } from '../../base/clock';
import { StoreError } from '../../lock/lock-store';
import { type CallDeadline, TimeOverError } from './call-deadline';
import type { Link } from './link';

/**
 * Waits for the reply to a send. If it does not arrive in time, the link is ended: a later reply
 * would be taken for the answer to the next command.
 *
 * @throws {StoreError} for every failure; no other error
 */
export function awaitReply<T>(link: Link, deadline: CallDeadline, reply: Promise<T>): Promise<T> {
  // Not an async function: hundreds of calls may wait here, and each would keep its frame.
  return deadline.wait(reply).catch((error: unknown) => {
    if (!(error instanceof TimeOverError)) throw explained(link, error);
    if (error.reason === 'timeout') throw giveUp(link, deadline);
    expectReply(link, deadline, reply);
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
 * Ends a silent link in time even if the caller no longer waits, because other calls use the link
 * or will use it.
 */
function expectReply(link: Link, deadline: CallDeadline, reply: Promise<unknown>): void {
  const { clock, endsAtMs, timeoutMs } = deadline;
  const settled = endIfSilent(link, { clock, afterMs: endsAtMs - clock.now(), timeoutMs });
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
