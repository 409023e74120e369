import type { Attempt } from '../../lock/attempt';
import type { Link } from './link';
import type { SendStamp } from './send-log';

/** A reply that answers the call. */
export interface Answered<Answer> {
  readonly answer: Answer;
  /**
   * True where it hands out a lease. A lease counts from its send: a reply that comes after its end is
   * not handed on, the same attempt is sent again.
   */
  readonly isGrant?: boolean;
  /**
   * True where the server would have answered otherwise if an earlier send of this call had left its
   * traces. After a lost reply such an answer holds only where the data can't have been lost since.
   */
  readonly needsTraces?: boolean;
}

/**
 * What a reply says of the send that it replies to.
 * - `stale`: it came after its notAfter and has changed nothing; the server's clock is read again
 * - `superseded`: a later send of the same attempt, or its withdrawal, came first; nothing was changed
 */
export type Verdict<Answer> = Answered<Answer> | 'stale' | 'superseded';

/**
 * A call as it is written over a link. `Reply` is what the server says, already checked to be one of
 * the replies that the command may get; `Answer` is what the store's caller gets.
 *
 * To add one: say how it is written, and what each of its replies means.
 */
export interface Command<L extends Link, Reply, Answer> {
  /** Finds the link. */
  readonly key: string;
  /**
   * What its sends are recognised by. Left out for a command that changes nothing: that one takes no
   * stamp, may be sent again at will, and leaves nothing behind that has to be withdrawn.
   */
  readonly attempt?: Attempt;
  /** The lease that it asks for, in milliseconds; left out where it asks for none. */
  readonly leaseMs?: number;
  /**
   * Writes it before this returns. Rejects with what the link knows to judge (see {@link Link.explain}),
   * or with a StoreError of kind `protocol` where the reply is none of its own; never throws.
   *
   * @param stamp undefined where the server's time isn't known, or where it changes nothing
   */
  send(link: L, stamp: SendStamp | undefined): Promise<Reply>;
  /** The one place that says what a reply means. */
  judge(reply: Reply): Verdict<Answer>;
}

/** How an attempt is undone. */
export interface Undo<L extends Link> {
  readonly key: string;
  readonly attempt: Attempt;
  /** The lease that it may have been granted, in milliseconds; left out where it asked for none. */
  readonly leaseMs?: number;
  /**
   * Undoes exactly this attempt, and leaves a marker of that until a moment of the server's clock.
   * Written before this returns; may be sent any number of times. Rejects as {@link Command.send} does.
   */
  send(link: L, markUntilMs: number): Promise<unknown>;
}

/** How long a call may take. */
export interface TimeLimits {
  /** How long one send waits for its reply, in milliseconds. */
  readonly tryTimeoutMs: number;
  /** How long all of them may take together, in milliseconds. */
  readonly callTimeoutMs: number;
}
