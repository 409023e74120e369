import type { Attempt } from '../../lock/attempt';
import type { Link } from './link';
import type { SendStamp } from './send-log';

/** A reply that answers the call. */
export interface Answered<Answer> {
  readonly answer: Answer;
  /**
   * The local end of the granted lease, if any. A lease counts from its send. A reply that arrives
   * after that end is not passed on; the same attempt is sent again.
   */
  readonly validUntilMs?: number;
  /**
   * True if no earlier send of the attempt can take effect after this answer. For an attempt that
   * continues after its answer.
   */
  readonly isSettled?: boolean;
  /**
   * True if the server would have answered differently had an earlier send of this call left its
   * traces. After a lost reply, such an answer is valid only if the server can't have lost its data
   * since.
   */
  readonly needsTraces?: boolean;
}

/**
 * The meaning of a reply.
 * - `stale`: the send arrived after its notAfter and changed nothing. The server's clock is read
 *   again.
 * - `superseded`: a later send of the same attempt, or its withdrawal, came first. Nothing was
 *   changed.
 */
export type Verdict<Answer> = Answered<Answer> | 'stale' | 'superseded';

/**
 * A call in the form that is written over a link. `Reply` is the server's reply, already checked to
 * be one that the command can get. `Answer` is what the store's caller gets.
 *
 * To add a command, define how it is written and what each of its replies means.
 */
export interface Command<L extends Link, Reply, Answer> {
  /** The key that determines the link. */
  readonly key: string;
  /**
   * Identifies the sends of the command. Omitted for a command that changes nothing: it takes no
   * stamp, may be sent again at any time, and leaves nothing to be withdrawn.
   */
  readonly attempt?: Attempt;
  /** The requested lease in milliseconds. Omitted if the command requests none. */
  readonly leaseMs?: number;
  /**
   * Writes the command before it returns. Rejects with an error that the link can explain (see
   * {@link Link.explain}), or with a StoreError of kind `protocol` if the reply is not one of the
   * command's. Never throws.
   *
   * @param stamp undefined if the server's time is unknown, or if the command changes nothing
   */
  send(link: L, stamp: SendStamp | undefined): Promise<Reply>;
  /**
   * The one place that says what a reply means.
   *
   * @param sentAtMs when it was sent, on the local clock: leases count from then
   */
  judge(reply: Reply, sentAtMs: number): Verdict<Answer>;
}

/** How to undo an attempt. */
export interface Undo<L extends Link> {
  readonly key: string;
  readonly attempt: Attempt;
  /**
   * The lease that the attempt may have been granted, in milliseconds. Omitted if it requested
   * none.
   */
  readonly leaseMs?: number;
  /**
   * Undoes exactly this attempt, and leaves a marker of that until a time on the server's clock.
   * Written before it returns, and may be sent any number of times. Rejects as {@link Command.send}
   * does.
   */
  send(link: L, markUntilMs: number): Promise<unknown>;
}

/** The time limits of a call. */
export interface TimeLimits {
  /** How long one send waits for its reply, in milliseconds. */
  readonly tryTimeoutMs: number;
  /** How long all sends of the call may take together, in milliseconds. */
  readonly callTimeoutMs: number;
}
