import type {
  LockCallReport,
  LockCallSubject,
  LockObserver,
  LockOutcome,
} from '../lock/lock-observer';
import type {
  HistogramFamily,
  HistogramSeries,
  NumberFamily,
  NumberSeries,
} from './metric-families';

/** The metrics of lock calls. */
export interface LockFamilies {
  readonly operations: NumberFamily;
  readonly duration: HistogramFamily;
  readonly inFlight: NumberFamily;
}

type Operation = LockCallSubject['operation'];

/** The label of each operation, and its possible outcomes. */
const OPERATIONS = {
  tryLock: {
    name: 'try_lock',
    outcomes: ['acquired', 'refused', 'error', 'unknown', 'overloaded'],
  },
  unlock: {
    name: 'unlock',
    outcomes: ['unlocked', 'not_found', 'held_by_other', 'error', 'unknown', 'overloaded'],
  },
} as const satisfies Record<Operation, { name: string; outcomes: readonly LockOutcome[] }>;

/** The outcome of a call to an unknown store. */
const STRAY_OUTCOMES = ['error'] as const;

/** The series of one operation on one store. */
interface OperationSeries {
  readonly inFlight: NumberSeries | undefined;
  readonly duration: HistogramSeries;
  readonly outcomes: ReadonlyMap<LockOutcome, NumberSeries>;
}

type StoreSeries = Readonly<Record<Operation, OperationSeries>>;

/**
 * The store label for calls to an unknown store, because the name is arbitrary text of a client.
 */
const STRAY = '';

/**
 * Measures lock calls by operation, store and outcome. All series of a store start at 0 together
 * with it: if a counter starts with its first event, `increase()` misses this event. They also end
 * with the store, because a removed store would look like one without calls.
 */
export class LockMetrics implements LockObserver {
  readonly #families: LockFamilies;
  readonly #appId: string;
  readonly #stores = new Map<string, StoreSeries>();

  constructor(families: LockFamilies, appId: string) {
    this.#families = families;
    this.#appId = appId;
    this.begin(STRAY);
  }

  /** Starts the series of a store, if there are none. */
  begin(store: string): void {
    if (this.#stores.has(store)) return;
    this.#stores.set(store, {
      tryLock: this.#beginOperation('tryLock', store),
      unlock: this.#beginOperation('unlock', store),
    });
  }

  /** Ends the series of a removed store. Calls to it that end later are not counted. */
  end(store: string): void {
    const series = this.#stores.get(store);
    this.#stores.delete(store);
    if (series === undefined) return;
    const { operations, duration, inFlight } = this.#families;
    for (const of of [series.tryLock, series.unlock]) {
      for (const outcome of of.outcomes.values()) operations.end(outcome);
      duration.end(of.duration);
      if (of.inFlight !== undefined) inFlight.end(of.inFlight);
    }
  }

  started(subject: LockCallSubject): void {
    const inFlight = this.#seriesOf(subject)?.inFlight;
    if (inFlight !== undefined) inFlight.value += 1;
  }

  ended(report: LockCallReport): void {
    const series = this.#seriesOf(report);
    if (series === undefined) return;
    if (series.inFlight !== undefined) series.inFlight.value -= 1;
    // Calls that were refused at once would hide that the others are slow.
    if (report.outcome !== 'overloaded') series.duration.observe(report.durationMs / 1000);
    const outcome = series.outcomes.get(report.outcome);
    if (outcome !== undefined) outcome.value += 1;
  }

  #seriesOf({ isKnownStore, storeName, operation }: LockCallSubject): OperationSeries | undefined {
    return this.#stores.get(isKnownStore ? storeName : STRAY)?.[operation];
  }

  #beginOperation(operation: Operation, store: string): OperationSeries {
    const { name, outcomes } = OPERATIONS[operation];
    const labels = { app_id: this.#appId, operation: name, store };
    const { operations, duration, inFlight } = this.#families;
    const counted: readonly LockOutcome[] = store === STRAY ? STRAY_OUTCOMES : outcomes;
    return {
      inFlight: store === STRAY ? undefined : inFlight.begin(labels),
      duration: duration.begin(labels),
      outcomes: new Map(
        counted.map((outcome) => [outcome, operations.begin({ ...labels, outcome })]),
      ),
    };
  }
}
