import type { ApiCall } from '../api/api-observer';
import type { MetricsSettings } from '../configuration/configuration';
import type { MeasuredResult } from './measured-result';
import type {
  HistogramFamily,
  HistogramSeries,
  NumberFamily,
  CountedSeries,
} from './metric-families';
import { PathLabels } from './path-labels';

/** daprd's metrics of HTTP requests. */
export interface HttpFamilies {
  readonly httpRequests: NumberFamily;
  readonly httpResponses: NumberFamily;
  readonly httpLatency: HistogramFamily;
  readonly httpRequestBytes: HistogramFamily;
  readonly httpResponseBytes: HistogramFamily;
}

/** The methods that daprd uses as labels. Any other is UNKNOWN. */
const VERBS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE'];

/** The series of one method, path and status. */
interface RequestSeries {
  readonly requests: CountedSeries;
  /** Created with the first request while responses are counted. */
  responses: CountedSeries | undefined;
  readonly latency: HistogramSeries;
}

/** Measures HTTP requests by method, path and status. */
export class HttpMetrics {
  readonly #families: HttpFamilies;
  readonly #appId: string;
  readonly #isKnownStore: (name: string) => boolean;
  #settings: MetricsSettings['http'];
  #paths: PathLabels;
  #sizes: { readonly request: HistogramSeries; readonly response: HistogramSeries } | undefined;
  readonly #series = new Map<string, RequestSeries>();

  constructor(
    families: HttpFamilies,
    options: {
      readonly appId: string;
      readonly settings: MetricsSettings['http'];
      readonly isKnownStore: (name: string) => boolean;
    },
  ) {
    this.#families = families;
    this.#appId = options.appId;
    this.#isKnownStore = options.isKnownStore;
    this.#settings = options.settings;
    this.#paths = new PathLabels(options.settings, options.isKnownStore);
  }

  /** Applies changed settings. */
  configure(settings: MetricsSettings['http']): void {
    this.#settings = settings;
    this.#paths = new PathLabels(settings, this.#isKnownStore);
  }

  /** Records a finished request. */
  record(call: ApiCall, result: MeasuredResult): void {
    const series = this.#seriesOf(call, result.status);
    series.requests.value += 1;
    if (series.responses !== undefined && this.#settings.increasedCardinality) {
      series.responses.value += 1;
    }
    series.latency.observe(Math.floor(result.durationMs));
    const app = { app_id: this.#appId };
    this.#sizes ??= {
      request: this.#families.httpRequestBytes.begin(app),
      response: this.#families.httpResponseBytes.begin(app),
    };
    this.#sizes.request.observe(result.requestBytes);
    this.#sizes.response.observe(result.responseBytes);
  }

  #seriesOf(call: ApiCall, status: number): RequestSeries {
    const { excludeVerbs, increasedCardinality } = this.#settings;
    const verb = VERBS.includes(call.verb) ? call.verb : 'UNKNOWN';
    const method = excludeVerbs ? '' : verb;
    const path = this.#paths.labelOf(call);
    const key = `${method} ${status} ${path}`;
    let series = this.#series.get(key);
    const labels = { app_id: this.#appId, method, path, status: String(status) };
    if (series === undefined) {
      series = {
        requests: this.#families.httpRequests.begin(labels),
        responses: undefined,
        latency: this.#families.httpLatency.begin(labels),
      };
      this.#series.set(key, series);
    }
    if (increasedCardinality) series.responses ??= this.#families.httpResponses.begin(labels);
    return series;
  }
}
