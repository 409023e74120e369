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

/** The names of the operations in labels. */
const OPERATIONS = { tryLock: 'try_lock', unlock: 'unlock' } as const;

/** The metrics of lock calls. */
export interface LockFamilies {
  readonly operations: NumberFamily;
  readonly duration: HistogramFamily;
  readonly inFlight: NumberFamily;
}

/** The series of one operation on one store. */
interface OperationSeries {
  readonly inFlight: NumberSeries | undefined;
  readonly duration: HistogramSeries;
  readonly outcomes: Map<LockOutcome, NumberSeries>;
}

/** Measures lock calls by operation, store and outcome. A store that there is not has no name. */
export class LockMetrics implements LockObserver {
  readonly #families: LockFamilies;
  readonly #series = {
    tryLock: new Map<string, OperationSeries>(),
    unlock: new Map<string, OperationSeries>(),
  };

  constructor(families: LockFamilies) {
    this.#families = families;
  }

  started(subject: LockCallSubject): void {
    const { inFlight } = this.#seriesOf(subject);
    if (inFlight !== undefined) inFlight.value += 1;
  }

  ended(report: LockCallReport): void {
    const { inFlight, duration, outcomes } = this.#seriesOf(report);
    if (inFlight !== undefined) inFlight.value -= 1;
    // Calls that were turned away at once would hide that those under way are slow.
    if (report.outcome !== 'overloaded') duration.observe(report.durationMs / 1000);
    let outcome = outcomes.get(report.outcome);
    if (outcome === undefined) {
      const name = report.outcome.replaceAll('-', '_');
      outcome = this.#families.operations.begin({ ...toLabels(report), outcome: name });
      outcomes.set(report.outcome, outcome);
    }
    outcome.value += 1;
  }

  #seriesOf(subject: LockCallSubject): OperationSeries {
    const known = this.#series[subject.operation];
    const store = toStoreLabel(subject);
    let series = known.get(store);
    if (series === undefined) {
      const labels = toLabels(subject);
      series = {
        inFlight: subject.isKnownStore ? this.#families.inFlight.begin(labels) : undefined,
        duration: this.#families.duration.begin(labels),
        outcomes: new Map(),
      };
      known.set(store, series);
    }
    return series;
  }
}

function toLabels(subject: LockCallSubject) {
  return { operation: OPERATIONS[subject.operation], store: toStoreLabel(subject) };
}

function toStoreLabel({ isKnownStore, storeName }: LockCallSubject): string {
  return isKnownStore ? storeName : '';
}
