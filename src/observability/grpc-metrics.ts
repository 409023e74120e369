import type { ApiCall } from '../api/api-observer';
import { toGrpcStatusName } from './grpc-status-names';
import type { MeasuredResult } from './measured-result';
import type {
  HistogramFamily,
  HistogramSeries,
  NumberFamily,
  CountedSeries,
} from './metric-families';

/** daprd's metrics of gRPC calls. */
export interface GrpcFamilies {
  readonly grpcCompleted: NumberFamily;
  readonly grpcLatency: HistogramFamily;
  readonly grpcReceived: HistogramFamily;
  readonly grpcSent: HistogramFamily;
}

/** The series of one method. */
interface MethodSeries {
  readonly received: HistogramSeries;
  readonly sent: HistogramSeries;
  readonly byStatus: Map<number, { readonly completed: CountedSeries; latency: HistogramSeries }>;
}

/** Measures unary gRPC calls by method and status. It gets only calls to existing methods. */
export class GrpcMetrics {
  readonly #families: GrpcFamilies;
  readonly #appId: string;
  readonly #methods = new Map<string, MethodSeries>();

  constructor(families: GrpcFamilies, appId: string) {
    this.#families = families;
    this.#appId = appId;
  }

  /** Records a finished call. */
  record({ path }: ApiCall, result: MeasuredResult): void {
    const method = this.#methodOf(path);
    method.received.observe(result.requestBytes);
    method.sent.observe(result.responseBytes);
    const { completed, latency } = this.#statusOf(method, path, result.status);
    completed.value += 1;
    latency.observe(result.durationMs);
  }

  #methodOf(path: string): MethodSeries {
    const known = this.#methods.get(path);
    if (known !== undefined) return known;
    const labels = this.#labelsOf(path);
    const method = {
      received: this.#families.grpcReceived.begin(labels),
      sent: this.#families.grpcSent.begin(labels),
      byStatus: new Map<number, { completed: CountedSeries; latency: HistogramSeries }>(),
    };
    this.#methods.set(path, method);
    return method;
  }

  #statusOf(method: MethodSeries, path: string, status: number) {
    const known = method.byStatus.get(status);
    if (known !== undefined) return known;
    const labels = { ...this.#labelsOf(path), grpc_server_status: toGrpcStatusName(status) };
    const series = {
      completed: this.#families.grpcCompleted.begin(labels),
      latency: this.#families.grpcLatency.begin(labels),
    };
    method.byStatus.set(status, series);
    return series;
  }

  #labelsOf(path: string) {
    return { app_id: this.#appId, grpc_server_method: path };
  }
}
