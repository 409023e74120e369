import type { Clock } from '../../base/clock';
import type { Logger } from '../../base/logger';
import { StoreError } from '../../lock/lock-store';
import { endIfSilent } from './await-reply';
import type { Undo } from './command';
import type { Link, Links } from './link';

/** Pause before a withdrawal is sent again that the server could not run, in milliseconds. */
const PAUSE_MS = 100;

/** An attempt to be undone. */
export interface Withdrawal<L extends Link> {
  readonly undo: Undo<L>;
  /** The latest notAfter of the attempt, on the server's clock. */
  readonly markUntilMs: number;
  /** The local time after which nothing is left to undo, because the lease has expired too. */
  readonly endsAtMs: number;
}

interface Pending<L extends Link> extends Withdrawal<L> {
  /** The link that it was last sent over. */
  link?: L;
  /** Ends the wait, with an error if the withdrawal was not confirmed. */
  readonly end: (error?: StoreError) => void;
}

/** The parts and limits of withdrawals. */
export interface WithdrawalsOptions<L extends Link> {
  readonly links: Links<L>;
  readonly logger: Logger;
  readonly replyTimeoutMs: number;
  readonly clock: Clock;
}

/**
 * The attempts to be undone. Each withdrawal is sent until the server has answered it, or until
 * nothing is left to undo. On a new link, withdrawals are written before any call, so that no
 * caller finds a lock whose attempt was already given up.
 */
export class Withdrawals<L extends Link> {
  readonly #pending = new Set<Pending<L>>();
  readonly #links: Links<L>;
  readonly #logger: Logger;
  readonly #replyTimeoutMs: number;
  readonly #clock: Clock;
  #onEmpty: (() => void) | undefined;
  #isAbandoned = false;

  constructor(options: WithdrawalsOptions<L>) {
    this.#links = options.links;
    this.#logger = options.logger;
    this.#replyTimeoutMs = options.replyTimeoutMs;
    this.#clock = options.clock;
  }

  /**
   * Adds a withdrawal and sends it at once if there is a link. Resolves when the withdrawal is
   * finished.
   */
  add(withdrawal: Withdrawal<L>): Promise<void> {
    if (this.#isAbandoned) return Promise.reject(closed());
    return new Promise((resolve, reject) => {
      const leftMs = withdrawal.endsAtMs - this.#clock.now();
      const timer = this.#clock.after(leftMs, () => {
        pending.end();
      });
      const pending: Pending<L> = {
        ...withdrawal,
        end: (error) => {
          timer.close();
          if (!this.#pending.delete(pending)) return;
          if (error === undefined) resolve();
          else reject(error);
          if (this.#pending.size === 0) this.#onEmpty?.();
        },
      };
      this.#pending.add(pending);
      const link = this.#links.linkFor(withdrawal.undo.key);
      if (link !== undefined) void this.#send(pending, link);
    });
  }

  /**
   * Sends all pending withdrawals of a link that is new, or has got more keys. They are written when
   * this returns.
   */
  resend(link: L): void {
    for (const pending of this.#pending) {
      if (this.#isOn(link, pending)) void this.#send(pending, link);
    }
  }

  /** Resolves when none is pending. */
  async whenEmpty(): Promise<void> {
    if (this.#pending.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  /**
   * Gives up the pending withdrawals, and logs their number and until when their locks may remain.
   */
  abandon(): void {
    this.#isAbandoned = true;
    if (this.#pending.size === 0) return;
    const lastMs = Math.max(...[...this.#pending].map(({ endsAtMs }) => endsAtMs));
    const leftSeconds = Math.ceil(Math.max(0, lastMs - this.#clock.now()) / 1000);
    this.#logger.warn(
      `${this.#pending.size} withdrawn lock attempts were not confirmed by ${this.#links.serverName}; their locks may exist for another ${leftSeconds} s`,
    );
    for (const pending of [...this.#pending]) pending.end(closed());
  }

  #isOn(link: L, { undo }: Pending<L>): boolean {
    return this.#links.linkFor(undo.key) === link;
  }

  async #send(pending: Pending<L>, link: L): Promise<void> {
    if (link.endReason !== undefined) return;
    pending.link = link;
    const answered = endIfSilent(link, { clock: this.#clock, afterMs: this.#replyTimeoutMs });
    try {
      await pending.undo.send(link, pending.markUntilMs);
      pending.end();
    } catch (error) {
      this.#afterFailure(pending, link, error);
    } finally {
      answered();
    }
  }

  #afterFailure(pending: Pending<L>, link: L, error: unknown): void {
    const { error: failure, hopeless } = link.explain(error);
    if (hopeless !== undefined) {
      this.#logger.warn(`A lock attempt can't be withdrawn: ${hopeless}`);
      pending.end();
      return;
    }
    // The reply was not an answer, so the replies behind it can't be trusted either.
    if (failure.kind === 'protocol') link.end(failure);
    // A broken link is replaced, and the new link gets all pending withdrawals.
    if (failure.outcome === 'unknown') return;
    this.#clock.after(PAUSE_MS, () => {
      // The key may be on another server by now, whose link was there before and knows nothing of it.
      const current = this.#links.linkFor(pending.undo.key);
      const isLate = !this.#pending.has(pending) || pending.link !== link;
      if (current !== undefined && !isLate) void this.#send(pending, current);
    });
  }
}

function closed(): StoreError {
  return new StoreError('the store is closed', { kind: 'closed', outcome: 'unknown' });
}
