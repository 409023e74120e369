import type { LockInfo } from '../../client/lock-calls';
import type { Locks } from '../../client/locks';
import type { CommandContext } from '../program';
import type * as waitingBar from './waiting-bar';
import { toWaitingText } from './waiting-text';

/** A call that may have to wait for a lock. */
export interface WaitingCall {
  readonly locks: Pick<Locks, 'get'>;
  readonly resource: string;
  readonly waitMs: number;
  readonly isQuiet: boolean;
}

/** Between two lines in a pipe or a log, in milliseconds. */
const LINE_EVERY_MS = 30_000;

/** Between two looks at the lock while somebody watches, in milliseconds. */
const LOOK_EVERY_MS = 1000;

/** A lock that is free is taken sooner, and nothing is drawn then. In milliseconds. */
const DRAW_AFTER_MS = 300;

/**
 * Tells people on standard error that a call waits, in which place, and for whom: on a terminal in one line that is
 * drawn anew, elsewhere in a plain line every 30 s. It looks at the lock meanwhile; if it may not, it tells less.
 */
export class WaitingProgress {
  readonly #call: WaitingCall;
  readonly #context: CommandContext;
  readonly #startedAtMs = performance.now();
  readonly #timers: NodeJS.Timeout[] = [];
  #ahead: number | undefined;
  #seen: { readonly lock: LockInfo; readonly atMs: number } | undefined;
  #bar: waitingBar.WaitingBar | undefined;
  #isOver = false;

  constructor(call: WaitingCall, context: CommandContext) {
    this.#call = call;
    this.#context = context;
    if (call.waitMs === 0 || call.isQuiet) return;
    const { stderr, env } = context;
    if (stderr.isTTY && env.TERM !== 'dumb') {
      this.#timers.push(setTimeout(() => void this.#draw(), DRAW_AFTER_MS).unref());
    } else {
      this.#timers.push(setInterval(() => void this.#writeLine(), LINE_EVERY_MS).unref());
    }
  }

  /** Takes the place in the queue that the sidecar has told. */
  queued(ahead: number): void {
    this.#ahead = ahead;
  }

  /** Ends it, and takes the line off the terminal. */
  end(): void {
    this.#isOver = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#bar?.close();
  }

  async #draw(): Promise<void> {
    await this.#look();
    if (this.#isOver) return;
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- a file of its own in dist
    const { openWaitingBar } = require('./waiting-bar') as typeof waitingBar;
    this.#timers.push(setInterval(() => void this.#look(), LOOK_EVERY_MS).unref());
    this.#bar = openWaitingBar({
      stream: this.#context.stderr,
      share: () => Math.min(1, this.#waitedMs / this.#call.waitMs),
      text: () => this.#text,
    });
  }

  async #writeLine(): Promise<void> {
    await this.#look();
    if (!this.#isOver) this.#context.say(this.#text);
  }

  /** A failed look does not end the wait. The call itself reports the failure better. */
  async #look(): Promise<void> {
    const lock = await this.#call.locks.get(this.#call.resource).catch(() => undefined);
    this.#seen = lock === undefined ? undefined : { lock, atMs: performance.now() };
  }

  get #waitedMs(): number {
    return performance.now() - this.#startedAtMs;
  }

  get #text(): string {
    const { resource, waitMs } = this.#call;
    const waitedMs = Math.min(this.#waitedMs, waitMs);
    return toWaitingText({ resource, waitedMs, waitMs, ahead: this.#ahead, holder: this.#holder });
  }

  get #holder(): LockInfo | undefined {
    if (this.#seen === undefined) return undefined;
    const { lock, atMs } = this.#seen;
    if (lock.ttlMs === undefined) return lock;
    return { ...lock, ttlMs: Math.max(0, lock.ttlMs - (performance.now() - atMs)) };
  }
}
