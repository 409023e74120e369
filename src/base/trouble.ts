import type { Clock } from './clock';

/** How often the same trouble is told of, in milliseconds. */
export const TOLD_EVERY_MS = 10_000;

/** How a trouble went, for those who tell of it. */
export interface TroubleReport {
  /** What the latest failure said. */
  readonly reason: string;
  /** Failures since the last time that this was told; at the end, all of them. */
  readonly failures: number;
  /** From the first failure on, in milliseconds. */
  readonly lastedMs: number;
}

/** Who tells of a trouble, and by what. */
export interface TroubleOptions {
  readonly clock: Clock;
  /** The first failure; then, where there are more, once in {@link TOLD_EVERY_MS}. */
  readonly onFailing: (report: TroubleReport, isFirst: boolean) => void;
  /** What failed works again. */
  readonly onOver?: (report: TroubleReport) => void;
  /** Nothing is left to tell: this one may be forgotten. */
  readonly onIdle?: () => void;
  /** True where successes are no sign of the end, as others fail beside them: only quiet is. */
  readonly isPartial?: boolean;
}

/**
 * Makes few lines of many failures: the first at once, later ones as a number at most once in
 * {@link TOLD_EVERY_MS}, and the end. Where successes and failures alternate the end is told only once
 * there was no failure for that long. Keeps a few numbers and one timer, however many failures there are.
 */
export class Trouble {
  readonly #options: TroubleOptions;
  readonly #failingParts = new Set<string>();
  #reason = '';
  #failures = 0;
  #untold = 0;
  #sinceMs = 0;
  #isOpen = false;
  #isAlternating: boolean;
  #isQuietTime = false;

  constructor(options: TroubleOptions) {
    this.#options = options;
    this.#isAlternating = options.isPartial ?? false;
  }

  /** Counts a failure of a part: of what has to succeed for the trouble to be over. */
  failed(reason: string, part = ''): void {
    // What fails again so soon after it was over was not.
    if (!this.#isOpen && this.#isQuietTime) this.#isAlternating = true;
    else if (!this.#isOpen) this.#begin();
    this.#isOpen = true;
    this.#reason = reason;
    this.#failures += 1;
    this.#untold += 1;
    this.#failingParts.add(part);
    if (!this.#isQuietTime) this.#tell();
  }

  /** Takes note of a success of a part. */
  succeeded(part = ''): void {
    if (!this.#isOpen) return;
    this.#failingParts.delete(part);
    if (this.#failingParts.size > 0 || (this.#isAlternating && this.#isQuietTime)) return;
    this.#end();
    if (!this.#isQuietTime) this.#rest();
  }

  /** Drops what was not told yet: nobody tries any more, and it has no end to be told. */
  drop(): void {
    this.#isOpen = false;
    this.#untold = 0;
    this.#failingParts.clear();
  }

  #begin(): void {
    this.#sinceMs = this.#options.clock.now();
    this.#failures = 0;
  }

  #tell(): void {
    const { clock, onFailing } = this.#options;
    onFailing(this.#report(this.#untold), this.#failures === this.#untold);
    this.#untold = 0;
    this.#isQuietTime = true;
    const quietTime = clock.after(TOLD_EVERY_MS, () => {
      this.#endQuietTime();
    });
    quietTime.unref();
  }

  #endQuietTime(): void {
    this.#isQuietTime = false;
    if (this.#untold > 0) {
      this.#tell();
      return;
    }
    if (this.#isOpen && this.#isAlternating && this.#failingParts.size === 0) this.#end();
    if (!this.#isOpen) this.#rest();
  }

  #end(): void {
    this.#isOpen = false;
    this.#untold = 0;
    this.#options.onOver?.(this.#report(this.#failures));
  }

  #rest(): void {
    this.#isAlternating = this.#options.isPartial ?? false;
    this.#options.onIdle?.();
  }

  #report(failures: number): TroubleReport {
    return {
      reason: this.#reason,
      failures,
      lastedMs: this.#options.clock.now() - this.#sinceMs,
    };
  }
}
