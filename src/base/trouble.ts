import type { Clock } from './clock';

/** How often a continuing trouble is reported, in milliseconds. */
export const REPORT_INTERVAL_MS = 10_000;

/** The state of a trouble at the time of a report. */
export interface TroubleReport {
  /** The reason of the latest failure. */
  readonly reason: string;
  /** Number of failures since the last report. In the final report, all failures. */
  readonly failures: number;
  /** Time since the first failure, in milliseconds. */
  readonly lastedMs: number;
}

/** The callbacks of a {@link Trouble}. */
export interface TroubleOptions {
  readonly clock: Clock;
  /** Called for the first failure, and then, if there are more, once per {@link REPORT_INTERVAL_MS}. */
  readonly onFailing: (report: TroubleReport, isFirst: boolean) => void;
  /** Called when the failing operation works again. */
  readonly onOver?: (report: TroubleReport) => void;
  /** Called when there is nothing left to report. The trouble may be discarded then. */
  readonly onIdle?: () => void;
  /**
   * True if successes do not show that the trouble is over, because other operations still fail.
   * Then only the absence of failures does.
   */
  readonly isPartial?: boolean;
}

/**
 * Turns many failures into few reports: the first failure at once, later ones as a number at most
 * once per {@link REPORT_INTERVAL_MS}, and the end. If successes and failures alternate, the end is
 * reported only after a period of that length without failures. Uses a few numbers and one timer,
 * however many failures there are.
 */
export class Trouble {
  readonly #options: TroubleOptions;
  readonly #failingParts = new Set<string>();
  #reason = '';
  #failures = 0;
  #unreported = 0;
  #sinceMs = 0;
  #isOpen = false;
  #isAlternating: boolean;
  #isQuietTime = false;

  constructor(options: TroubleOptions) {
    this.#options = options;
    this.#isAlternating = options.isPartial ?? false;
  }

  /**
   * Records a failure of a part. The trouble is over only when every part that failed has
   * succeeded.
   */
  failed(reason: string, part = ''): void {
    // A failure this soon after the end means that the trouble was not over.
    if (!this.#isOpen && this.#isQuietTime) this.#isAlternating = true;
    else if (!this.#isOpen) this.#begin();
    this.#isOpen = true;
    this.#reason = reason;
    this.#failures += 1;
    this.#unreported += 1;
    this.#failingParts.add(part);
    if (!this.#isQuietTime) this.#reportFailing();
  }

  /** Records a success of a part. */
  succeeded(part = ''): void {
    if (!this.#isOpen) return;
    this.#failingParts.delete(part);
    if (this.#failingParts.size > 0 || (this.#isAlternating && this.#isQuietTime)) return;
    this.#end();
    if (!this.#isQuietTime) this.#rest();
  }

  /**
   * Discards what was not reported yet. Use this if nobody tries any more, so that there is no end
   * to report.
   */
  drop(): void {
    this.#isOpen = false;
    this.#unreported = 0;
    this.#failingParts.clear();
  }

  #begin(): void {
    this.#sinceMs = this.#options.clock.now();
    this.#failures = 0;
  }

  #reportFailing(): void {
    const { clock, onFailing } = this.#options;
    onFailing(this.#report(this.#unreported), this.#failures === this.#unreported);
    this.#unreported = 0;
    this.#isQuietTime = true;
    const quietTime = clock.after(REPORT_INTERVAL_MS, () => {
      this.#endQuietTime();
    });
    quietTime.unref();
  }

  #endQuietTime(): void {
    this.#isQuietTime = false;
    if (this.#unreported > 0) {
      this.#reportFailing();
      return;
    }
    if (this.#isOpen && this.#isAlternating && this.#failingParts.size === 0) this.#end();
    if (!this.#isOpen) this.#rest();
  }

  #end(): void {
    this.#isOpen = false;
    this.#unreported = 0;
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
