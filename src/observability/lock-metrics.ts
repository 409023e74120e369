import type {
  LockCallReport,
  LockCallSubject,
  LockObserver,
  LockOutcome,
} from '../lock/lock-observer';
import {
  beginEach,
  type HistogramFamily,
  type HistogramSeries,
  type NumberFamily,
  type CountedSeries,
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
  acquire: {
    name: 'acquire',
    outcomes: ['acquired', 'refused', 'left', 'stopped', 'error', 'unknown', 'overloaded'],
  },
  hold: {
    name: 'hold',
    outcomes: [
      ...(['refused', 'unlocked', 'lost', 'abandoned', 'left', 'stopped'] as const),
      ...(['error', 'unknown', 'overloaded'] as const),
    ],
  },
  renew: {
    name: 'renew',
    outcomes: ['renewed', 'not_found', 'held_by_other', 'error', 'unknown', 'overloaded'],
  },
  release: {
    name: 'release',
    outcomes: ['unlocked', 'not_found', 'held_by_other', 'error', 'unknown', 'overloaded'],
  },
  get: { name: 'get', outcomes: ['seen', 'error', 'unknown', 'overloaded'] },
  list: { name: 'list', outcomes: ['seen', 'error', 'unknown', 'overloaded'] },
  forceRelease: {
    name: 'force_release',
    outcomes: ['unlocked', 'not_found', 'held_by_other', 'error', 'unknown', 'overloaded'],
  },
} as const satisfies Record<Operation, { name: string; outcomes: readonly LockOutcome[] }>;

const OPERATION_KEYS = Object.keys(OPERATIONS) as Operation[];

/** The outcome of a call to an unknown store. */
const STRAY_OUTCOMES = ['error'] as const;

/** The series of one operation on one store. */
interface OperationSeries {
  readonly inFlight: CountedSeries | undefined;
  readonly duration: HistogramSeries;
  readonly outcomes: ReadonlyMap<LockOutcome, CountedSeries>;
}

type StoreSeries = ReadonlyMap<Operation, OperationSeries>;

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
    const series = beginEach(OPERATION_KEYS, (operation) => this.#beginOperation(operation, store));
    this.#stores.set(store, series);
  }

  /** Ends the series of a removed store. Calls to it that end later are not counted. */
  end(store: string): void {
    const series = this.#stores.get(store);
    this.#stores.delete(store);
    if (series === undefined) return;
    const { operations, duration, inFlight } = this.#families;
    for (const of of series.values()) {
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
    // Refused calls are so fast that they would hide slow ones, and a hold lasts as long as its
    // client wants.
    if (report.outcome !== 'overloaded' && report.operation !== 'hold')
      series.duration.observe(report.durationMs / 1000);
    const outcome = series.outcomes.get(report.outcome);
    if (outcome !== undefined) outcome.value += 1;
  }

  #seriesOf({ isKnownStore, storeName, operation }: LockCallSubject): OperationSeries | undefined {
    return this.#stores.get(isKnownStore ? storeName : STRAY)?.get(operation);
  }

  #beginOperation(operation: Operation, store: string): OperationSeries {
    const { name, outcomes } = OPERATIONS[operation];
    const labels = { app_id: this.#appId, operation: name, store };
    const { operations, duration, inFlight } = this.#families;
    const counted: readonly LockOutcome[] = store === STRAY ? STRAY_OUTCOMES : outcomes;
    return {
      inFlight: store === STRAY ? undefined : inFlight.begin(labels),
      duration: duration.begin(labels),
      outcomes: beginEach(counted, (outcome) => operations.begin({ ...labels, outcome })),
    };
  }
}
