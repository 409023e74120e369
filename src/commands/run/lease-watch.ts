import type { Lock } from '../../client/lock';

/** When a command is ended because of its lock, and how. */
export interface LeaseWatchOptions {
  readonly lock: Pick<Lock, 'validForMs' | 'lost'>;
  /** The time between SIGTERM and SIGKILL, in milliseconds. */
  readonly graceMs: number;
  /** How long before the end of the lease SIGKILL is sent, in milliseconds. */
  readonly marginMs: number;
  readonly onTerm: () => void;
  readonly onKill: () => void;
}

/** The longest time between two looks, in milliseconds: timers stand still while a machine sleeps. */
const LOOK_EVERY_MS = 1000;

/**
 * Ends a command before its lease ends: SIGTERM early enough that after the grace SIGKILL still comes in time. A renewal
 * that succeeds in between changes nothing: the command was told to end. A lock that is already lost is SIGKILL at once.
 */
export class LeaseWatch {
  readonly #options: LeaseWatchOptions;
  readonly #onLost = (): void => {
    this.#kill();
  };
  #state: 'watching' | 'terminating' | 'killed' | 'closed' = 'watching';
  #killAtMs = Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LeaseWatchOptions) {
    this.#options = options;
    options.lock.lost.addEventListener('abort', this.#onLost);
    this.#look();
  }

  /** True once the command was told to end. */
  get hasEnded(): boolean {
    return this.#killAtMs < Infinity;
  }

  /** Ends the watch. */
  close(): void {
    this.#state = 'closed';
    clearTimeout(this.#timer);
    this.#options.lock.lost.removeEventListener('abort', this.#onLost);
  }

  #look(): void {
    const { lock, graceMs, marginMs, onTerm } = this.#options;
    const killInMs = lock.validForMs - marginMs;
    if (this.#state === 'watching' && killInMs <= graceMs) {
      this.#state = 'terminating';
      this.#killAtMs = performance.now() + Math.max(0, Math.min(graceMs, killInMs));
      if (killInMs > 0) onTerm();
    }
    const leftMs = Math.min(killInMs, this.#killAtMs - performance.now());
    if (this.#state === 'terminating' && leftMs <= 0) this.#kill();
    if (this.#state === 'killed' || this.#state === 'closed') return;
    const dueMs = this.#state === 'watching' ? killInMs - graceMs : leftMs;
    this.#timer = setTimeout(
      () => {
        this.#look();
      },
      Math.min(Math.max(dueMs, 1), LOOK_EVERY_MS),
    );
  }

  #kill(): void {
    if (this.#state === 'killed' || this.#state === 'closed') return;
    this.#state = 'killed';
    this.#killAtMs = Math.min(this.#killAtMs, performance.now());
    clearTimeout(this.#timer);
    this.#options.onKill();
  }
}
