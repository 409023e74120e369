import type { CancelSignal } from '../../base/cancellation';
import type { Clock } from '../../base/clock';
import { toEndReason } from '../../lock/call-policy';
import { StoreError } from '../../lock/lock-store';
import { awaitReply } from './await-reply';
import { CallDeadline } from './call-deadline';
import type { Answered, Command, TimeLimits } from './command';
import type { Link, Links } from './link';
import type { SendLog, SendStamp } from './send-log';

/** A call in progress. */
export interface Call<L extends Link, Reply, Answer> {
  readonly command: Command<L, Reply, Answer>;
  readonly limits: TimeLimits;
  /** Aborts when the caller no longer waits. */
  readonly signal: CancelSignal;
  readonly log: SendLog;
  /** The end of the whole call, in local time. */
  readonly endsAtMs: number;
  readonly links: Links<L>;
  readonly clock: Clock;
  /** How often it was sent to another server at once, because its key had moved there. */
  moves: number;
}

/** An answer, and the link that it came over. */
export interface AnsweredSend<L extends Link, Answer> {
  readonly answered: Answered<Answer>;
  readonly link: L;
}

/** A send that was written. */
interface Sent<L extends Link, Reply> {
  readonly link: L;
  readonly deadline: CallDeadline;
  readonly stamp: SendStamp | undefined;
  readonly atMs: number;
  readonly reply: Promise<Reply>;
}

/**
 * Sends a call once and waits for the reply. Returns undefined if the send arrived too late to be
 * run and must be repeated.
 *
 * @throws {StoreError} for every failure; no other error. A lost reply is recorded in the call's
 * log
 */
export async function sendOnce<L extends Link, Reply, Answer>(
  call: Call<L, Reply, Answer>,
): Promise<AnsweredSend<L, Answer> | undefined> {
  const { command, limits, signal, endsAtMs, links, clock } = call;
  if (signal.aborted) throw failed(toEndReason(signal), 'deadline', 'not-applied');
  const timeoutMs = Math.min(limits.tryTimeoutMs, endsAtMs - clock.now());
  const deadline = new CallDeadline({
    timeoutMs,
    silentAfterMs: limits.tryTimeoutMs,
    signal,
    clock,
  });
  try {
    const link = links.linkFor(command.key) ?? (await links.reach(command.key, deadline));
    const atMs = clock.now();
    const stamp = stampFor(call, link, deadline);
    const reply = command.send(link, stamp);
    return await toAnswer(call, { link, deadline, stamp, atMs, reply });
  } finally {
    deadline.clear();
  }
}

function stampFor<L extends Link, Reply, Answer>(
  { command, log, endsAtMs }: Call<L, Reply, Answer>,
  { clock }: L,
  deadline: CallDeadline,
): SendStamp | undefined {
  if (clock === undefined || command.attempt === undefined) return undefined;
  // The server's clock may be ahead of the estimate, and traces must not end before the call does.
  const markUntilMs = clock.latestAt(Math.max(endsAtMs, deadline.endsAtMs));
  return log.stamp(clock.at(deadline.endsAtMs), markUntilMs);
}

async function toAnswer<L extends Link, Reply, Answer>(
  call: Call<L, Reply, Answer>,
  sent: Sent<L, Reply>,
): Promise<AnsweredSend<L, Answer> | undefined> {
  const { link, deadline } = sent;
  let reply: Reply;
  try {
    reply = await awaitReply(link, deadline, sent.reply);
  } catch (error) {
    if (error instanceof StoreError && error.outcome === 'unknown') noteLost(call, sent);
    throw error;
  }
  const verdict = call.command.judge(reply, sent.atMs);
  if (verdict === 'stale') return readClockAgain(sent);
  if (verdict === 'superseded') {
    throw failed('the attempt was withdrawn', 'rejected', 'not-applied');
  }
  if (verdict.validUntilMs !== undefined) assertTimely(call, sent, verdict.validUntilMs);
  if (verdict.isSettled === true) call.log.settle();
  return { answered: verdict, link };
}

function noteLost<L extends Link, Reply, Answer>(
  { command, log, endsAtMs }: Call<L, Reply, Answer>,
  { link, deadline, stamp }: Sent<L, Reply>,
): void {
  log.addLost({
    untilMs: deadline.endsAtMs,
    tracesUntilMs: endsAtMs,
    dataEpoch: link.dataEpoch,
    bounded: stamp !== undefined || command.attempt === undefined,
  });
}

/**
 * Reads the server's clock after a stale send. If that fails, the send has still changed nothing.
 */
async function readClockAgain<L extends Link, Reply>({
  link,
  deadline,
}: Sent<L, Reply>): Promise<undefined> {
  const { clock, serverName } = link;
  if (clock !== undefined) {
    await awaitReply(link, deadline, clock.read()).catch((cause: unknown) => {
      throw cause instanceof StoreError ? toNotApplied(cause, serverName) : cause;
    });
    if (deadline.clock.now() < deadline.endsAtMs) return undefined;
  }
  throw failed(`${serverName} ran the command too late`, 'deadline', 'not-applied');
}

function toNotApplied(cause: StoreError, serverName: string): StoreError {
  const { message, kind } = cause;
  const options = { kind, outcome: 'not-applied', cause } as const;
  return new StoreError(`${serverName} can't be reached: ${message}`, options);
}

/**
 * Checks that a granted lease has not expired. It counts from its send, and an expired lease must
 * not be reported as held.
 */
function assertTimely<L extends Link, Reply, Answer>(
  call: Call<L, Reply, Answer>,
  sent: Sent<L, Reply>,
  validUntilMs: number,
): void {
  if (call.clock.now() < validUntilMs) return;
  noteLost(call, sent);
  const message = `the lease expired before ${sent.link.serverName} replied`;
  throw failed(message, 'deadline', 'unknown');
}

function failed(
  message: string,
  kind: 'deadline' | 'rejected',
  outcome: StoreError['outcome'],
): StoreError {
  return new StoreError(message, { kind, outcome, reason: message });
}
