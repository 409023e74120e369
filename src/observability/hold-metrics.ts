import type {
  HoldReport,
  LockObserver,
  RenewalOutcome,
  WaitOutcome,
  WaitReport,
} from '../lock/lock-observer';
import type { LostReason } from '../lock/native-lock-service';
import {
  beginEach,
  type HistogramFamily,
  type HistogramSeries,
  type NumberFamily,
  type CountedSeries,
} from './metric-families';

/** The metrics of waits and holds. */
export interface HoldFamilies {
  readonly waiters: NumberFamily;
  readonly waits: HistogramFamily;
  readonly wakeUps: NumberFamily;
  readonly holds: NumberFamily;
  readonly renewals: NumberFamily;
  readonly lostHolds: NumberFamily;
  readonly forceReleases: NumberFamily;
}

const WAIT_OUTCOMES = ['granted', 'over', 'ended', 'failed'] as const satisfies WaitOutcome[];
const RENEWAL_OUTCOMES = [
  'renewed',
  'gone',
  'failed',
  'withheld',
] as const satisfies RenewalOutcome[];
const LOST_REASONS = ['EXPIRED', 'TAKEN_OVER', 'STORE_UNREACHABLE'] as const satisfies LostReason[];

/** The series of one store. */
interface StoreSeries {
  readonly waiters: CountedSeries;
  readonly waits: ReadonlyMap<WaitOutcome, HistogramSeries>;
  readonly wakeUps: CountedSeries;
  readonly holds: CountedSeries;
  readonly renewals: ReadonlyMap<RenewalOutcome, CountedSeries>;
  readonly lostHolds: ReadonlyMap<LostReason, CountedSeries>;
  readonly forceReleases: CountedSeries;
}

/**
 * Measures waits and holds by store. Like {@link LockMetrics}, it starts all series of a store at 0
 * together with it, and ends them with it.
 */
export class HoldMetrics implements LockObserver {
  readonly #families: HoldFamilies;
  readonly #appId: string;
  readonly #stores = new Map<string, StoreSeries>();

  constructor(families: HoldFamilies, appId: string) {
    this.#families = families;
    this.#appId = appId;
  }

  /** Starts the series of a store, if there are none. */
  begin(store: string): void {
    if (this.#stores.has(store)) return;
    const labels = { app_id: this.#appId, store };
    const { waiters, waits, wakeUps, holds, renewals, lostHolds, forceReleases } = this.#families;
    this.#stores.set(store, {
      waiters: waiters.begin(labels),
      waits: beginEach(WAIT_OUTCOMES, (outcome) => waits.begin({ ...labels, outcome })),
      wakeUps: wakeUps.begin(labels),
      holds: holds.begin(labels),
      renewals: beginEach(RENEWAL_OUTCOMES, (outcome) => renewals.begin({ ...labels, outcome })),
      lostHolds: beginEach(LOST_REASONS, (lostBy) =>
        lostHolds.begin({ ...labels, reason: lostBy.toLowerCase() }),
      ),
      forceReleases: forceReleases.begin(labels),
    });
  }

  /** Ends the series of a removed store. Later events of it are not counted. */
  end(store: string): void {
    const series = this.#stores.get(store);
    if (series === undefined) return;
    this.#stores.delete(store);
    const families = this.#families;
    for (const name of ['waiters', 'wakeUps', 'holds', 'forceReleases'] as const) {
      families[name].end(series[name]);
    }
    for (const name of ['renewals', 'lostHolds'] as const) {
      for (const one of series[name].values()) families[name].end(one);
    }
    for (const one of series.waits.values()) families.waits.end(one);
  }

  /** Calls are counted by LockMetrics. */
  ended(): void {
    return;
  }

  waitBegan(store: string): void {
    add(this.#stores.get(store)?.waiters, 1);
  }

  waitEnded({ storeName, outcome, waitedMs }: WaitReport): void {
    const series = this.#stores.get(storeName);
    add(series?.waiters, -1);
    series?.waits.get(outcome)?.observe(waitedMs / 1000);
  }

  woken(store: string): void {
    add(this.#stores.get(store)?.wakeUps, 1);
  }

  holdBegan(store: string): void {
    add(this.#stores.get(store)?.holds, 1);
  }

  holdEnded({ storeName, lostBy }: HoldReport): void {
    const series = this.#stores.get(storeName);
    add(series?.holds, -1);
    if (lostBy !== undefined) add(series?.lostHolds.get(lostBy), 1);
  }

  renewalEnded(store: string, outcome: RenewalOutcome): void {
    add(this.#stores.get(store)?.renewals.get(outcome), 1);
  }

  forceReleased({ storeName }: { readonly storeName: string }): void {
    add(this.#stores.get(storeName)?.forceReleases, 1);
  }
}

/**
 * Adds to a series, unless its store was removed. A gauge never falls below 0: a wait or a hold may
 * end after its store was removed and another one with the same name was added.
 */
function add(series: CountedSeries | undefined, change: number): void {
  if (series !== undefined) series.value = Math.max(0, series.value + change);
}
