import type { ApiCall } from '../api/api-observer';
import { toGrpcStatusName } from './grpc-status-names';
import type { MeasuredResult } from './measured-result';
import type {
  HistogramFamily,
  HistogramSeries,
  NumberFamily,
  CountedSeries,
} from './metric-families';

/** The metrics of calls that are passed on. */
export interface UpstreamFamilies {
  readonly upstreamCalls: NumberFamily;
  readonly upstreamDuration: HistogramFamily;
}

/** The series of one protocol and status. */
interface CallSeries {
  readonly calls: CountedSeries;
  readonly duration: HistogramSeries;
}

/**
 * Measures the calls that are passed on, by protocol and status. Their paths are arbitrary text of
 * clients and never become labels; the upstream measures them by method.
 */
export class UpstreamMetrics {
  readonly #families: UpstreamFamilies;
  readonly #appId: string;
  readonly #series = new Map<string, CallSeries>();

  constructor(families: UpstreamFamilies, appId: string) {
    this.#families = families;
    this.#appId = appId;
  }

  /** Records a finished call. */
  record({ protocol }: ApiCall, { status: code, durationMs }: MeasuredResult): void {
    const status = protocol === 'grpc' ? toGrpcStatusName(code) : `${Math.floor(code / 100)}xx`;
    const { calls, duration } = this.#seriesOf(protocol, status);
    calls.value += 1;
    duration.observe(durationMs / 1000);
  }

  #seriesOf(protocol: ApiCall['protocol'], status: string): CallSeries {
    const key = `${protocol} ${status}`;
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    const labels = { app_id: this.#appId, protocol, status };
    const { upstreamCalls, upstreamDuration } = this.#families;
    const series = {
      calls: upstreamCalls.begin(labels),
      duration: upstreamDuration.begin(labels),
    };
    this.#series.set(key, series);
    return series;
  }
}
