import { ErrorReply } from '@redis/client';

import type { Logger } from '../../base/logger';
import { StoreError, type UnlockCall } from '../../lock/lock-store';
import type { LockCommands } from './lock-commands';
import { isHopeless, toReplyText } from './redis-errors';
import type { RedisLink } from './redis-link';

/** Before a withdrawal is sent again that Redis would not run now (LOADING, BUSY), in milliseconds. */
const PAUSE_MS = 100;

/** The longest that a timer of Node reaches, in milliseconds. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** An attempt that has to be undone. */
export interface Withdrawal {
  readonly call: UnlockCall;
  /** The latest notAfter of the attempt, on the server's clock. */
  readonly markUntilMs: number;
  /** From this moment of `performance.now()` on nothing is left to undo: its lease is over too. */
  readonly endsAtMs: number;
}

interface Pending extends Withdrawal {
  /** Ends the wait, with an error where it was not confirmed. */
  readonly end: (error?: StoreError) => void;
}

/**
 * Attempts to be undone. Each is sent until Redis has answered it or until it is over by itself;
 * on a new connection they are written before any call, so that no caller meets a lock that was
 * already given up for it.
 */
export class Withdrawals {
  readonly #pending = new Set<Pending>();
  readonly #logger: Logger;
  readonly #commands: LockCommands;
  readonly #replyTimeoutMs: number;
  #link: RedisLink | undefined;
  #onEmpty: (() => void) | undefined;
  #abandoned = false;

  constructor(options: {
    readonly logger: Logger;
    readonly commands: LockCommands;
    readonly replyTimeoutMs: number;
  }) {
    this.#logger = options.logger;
    this.#commands = options.commands;
    this.#replyTimeoutMs = options.replyTimeoutMs;
  }

  /** How many are not confirmed yet. */
  get size(): number {
    return this.#pending.size;
  }

  /** Adds one and sends it at once where there is a connection. Resolves when it is done with. */
  add(withdrawal: Withdrawal): Promise<void> {
    if (this.#abandoned) return Promise.reject(closed());
    return new Promise((resolve, reject) => {
      const timer = startTimer(withdrawal.endsAtMs, () => {
        pending.end();
      });
      const pending: Pending = {
        ...withdrawal,
        end: (error) => {
          clearTimeout(timer.current);
          if (!this.#pending.delete(pending)) return;
          if (error === undefined) resolve();
          else reject(error);
          if (this.#pending.size === 0) this.#onEmpty?.();
        },
      };
      this.#pending.add(pending);
      if (this.#link !== undefined) void this.#send(pending, this.#link);
    });
  }

  /** Sends all of them over a new connection; they are written when this returns. */
  sendAll(link: RedisLink): void {
    this.#link = link;
    for (const pending of this.#pending) void this.#send(pending, link);
  }

  /** Resolves when none is left. */
  async whenEmpty(): Promise<void> {
    if (this.#pending.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  /** Gives up those that are left, and says how many and until when their locks may stay. */
  abandon(): void {
    this.#abandoned = true;
    this.#link = undefined;
    if (this.#pending.size === 0) return;
    const lastMs = Math.max(...[...this.#pending].map(({ endsAtMs }) => endsAtMs));
    const leftSeconds = Math.ceil(Math.max(0, lastMs - performance.now()) / 1000);
    this.#logger.warn(
      `${this.#pending.size} withdrawn lock attempts were not confirmed by Redis; locks of theirs may exist for another ${leftSeconds} s`,
    );
    for (const pending of [...this.#pending]) pending.end(closed());
  }

  async #send(pending: Pending, link: RedisLink): Promise<void> {
    if (link.endReason !== undefined) return;
    const timer = setTimeout(() => {
      link.end(new Error(`Redis did not reply within ${this.#replyTimeoutMs} ms`));
    }, this.#replyTimeoutMs);
    try {
      await this.#commands.withdraw(link.client, pending.call, pending.markUntilMs);
      pending.end();
    } catch (error) {
      this.#afterFailure(pending, link, error);
    } finally {
      clearTimeout(timer);
    }
  }

  #afterFailure(pending: Pending, link: RedisLink, error: unknown): void {
    // A connection that broke has a successor, and that gets all that are pending.
    if (error instanceof StoreError) link.end(error);
    if (!(error instanceof ErrorReply)) return;
    if (isHopeless(error)) {
      this.#logger.warn(`A lock attempt can't be withdrawn: ${toReplyText(error)}`);
      pending.end();
      return;
    }
    setTimeout(() => {
      if (this.#pending.has(pending) && this.#link === link) void this.#send(pending, link);
    }, PAUSE_MS);
  }
}

function closed(): StoreError {
  return new StoreError('the store is closed', { kind: 'closed', outcome: 'unknown' });
}

/** A timer for a moment that may be decades away: a lease may last 68 years. */
function startTimer(atMs: number, run: () => void): { current: NodeJS.Timeout } {
  const start = (): NodeJS.Timeout => {
    const leftMs = atMs - performance.now();
    if (leftMs <= LONGEST_TIMER_MS) return setTimeout(run, Math.max(0, Math.ceil(leftMs)));
    return setTimeout(() => {
      timer.current = start();
    }, LONGEST_TIMER_MS);
  };
  const timer: { current: NodeJS.Timeout } = { current: start() };
  return timer;
}
