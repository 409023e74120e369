import type { ApiCall, ApiObserver, ApiResult, ObservedCall } from '../api/api-observer';
import { toErrorMessage } from '../base/error-message';
import type { Logger } from '../base/logger';
import { type Configuration, DEFAULT_CONFIGURATION } from '../configuration/configuration';
import type { LockObserver } from '../lock/lock-observer';
import { ApiLog } from './api-log';
import { findBaggageProblem } from './baggage';
import { LockTracing } from './lock-tracing';
import type { MeasuredResult } from './measured-result';
import type { Metrics } from './metrics';
import { NO_TRACE, toTraceBin, toTraceparent, type TraceContext } from './trace-context';
import {
  type CallSpan,
  passOn,
  readParent,
  toTracingMode,
  type Tracer,
  type TracingMode,
} from './tracer';

/** The parts of a configuration that concern observation. */
type Settings = Pick<Configuration, 'tracing' | 'apiLogging'>;

/** The dependencies of {@link ApiObservation}. */
export interface ApiObservationOptions {
  /** Creates a tracer. Called only if spans are recorded, because it loads OpenTelemetry. */
  readonly createTracer: (settings: Settings['tracing']) => Promise<Tracer>;
  readonly metrics: Metrics | undefined;
  readonly logger: Logger;
}

/** Part of the paths of health checks, which daprd does not trace at all. */
const PROBE_PATH = '/healthz';

/**
 * Observes the calls of both transports: logs, metrics, traces. Its settings may change while calls
 * run.
 */
export class ApiObservation implements ApiObserver {
  readonly #options: ApiObservationOptions;
  readonly #log: ApiLog;
  #settings: Settings = DEFAULT_CONFIGURATION;
  #mode: TracingMode = 'pass-on';
  #tracer: Tracer | undefined;
  /** Replaced tracers that are not closed yet. */
  readonly #retired = new Set<Promise<void>>();

  constructor(options: ApiObservationOptions) {
    this.#options = options;
    this.#log = new ApiLog(options.logger);
  }

  /**
   * Applies settings, at start and after every change. If it rejects, the settings before stay in
   * force.
   */
  async configure(settings: Settings): Promise<void> {
    const previous = this.#tracer;
    const isSame = JSON.stringify(settings.tracing) === JSON.stringify(this.#settings.tracing);
    const mode = toTracingMode(settings.tracing);
    const isKept = mode !== 'record' || (isSame && previous !== undefined);
    const created = isKept ? undefined : await this.#options.createTracer(settings.tracing);
    this.#settings = settings;
    this.#mode = mode;
    this.#tracer = mode === 'record' ? (created ?? previous) : undefined;
    if (previous !== this.#tracer) this.#retire(previous);
  }

  /** Sends the remaining spans. */
  async close(): Promise<void> {
    await Promise.all([this.#tracer?.close(), ...this.#retired]);
  }

  /** Closes a replaced tracer in the background, while it sends its remaining spans. */
  #retire(tracer: Tracer | undefined): void {
    const closed = tracer?.close().catch((error: unknown) => {
      this.#options.logger.warn(`Spans could not be sent: ${toErrorMessage(error)}`);
    });
    if (closed === undefined) return;
    this.#retired.add(closed);
    void closed.then(() => this.#retired.delete(closed));
  }

  begin(call: ApiCall): ObservedCall {
    const watched = new WatchedCall(call, this.#record);
    // The upstream traces what is passed on, with the trace headers of the client.
    const isTraced = call.isPassed !== true && !isProbe(call);
    if (this.#mode !== 'off' && isTraced) this.#trace(watched);
    return watched;
  }

  #trace(watched: WatchedCall): void {
    const { call } = watched;
    const parent = readParent(call);
    watched.refusal = toRefusal(call);
    if (this.#tracer === undefined) {
      watched.context = passOn(parent);
      return;
    }
    watched.span = this.#tracer.start(call, parent === 'broken' ? undefined : parent);
    watched.context = watched.span.context;
  }

  /** One for all calls. */
  readonly #record = (call: ApiCall, result: MeasuredResult): void => {
    const { metrics } = this.#options;
    if (metrics?.isEnabled === true) metrics.recordCall(call, result);
    this.#log.write(this.#settings.apiLogging, call, result);
  };
}

type RecordCall = (call: ApiCall, result: MeasuredResult) => void;

/** A call in flight. What only one transport needs is created on request. */
class WatchedCall implements ObservedCall {
  readonly call: ApiCall;
  refusal: string | undefined;
  /** Undefined if the call belongs to no trace. */
  context: TraceContext | undefined;
  span: CallSpan | undefined;
  #lockTracing: LockTracing | undefined;
  readonly #startedAt = performance.now();
  readonly #record: RecordCall;

  constructor(call: ApiCall, record: RecordCall) {
    this.call = call;
    this.#record = record;
  }

  get responseHeaders(): Readonly<Record<string, string>> {
    return this.context === undefined ? {} : toHeaders(this.context, this.responseBaggage);
  }

  get responseTraceBin(): Buffer | undefined {
    return this.context === undefined ? undefined : toBinary(this.context);
  }

  /** The client's baggage, unless it is invalid. */
  get responseBaggage(): string | undefined {
    const isEchoed = this.context !== undefined && this.refusal === undefined;
    const baggage = isEchoed ? this.call.header('baggage') : undefined;
    return baggage === '' ? undefined : baggage;
  }

  get lockObserver(): LockObserver | undefined {
    if (this.span !== undefined) this.#lockTracing ??= new LockTracing(this.span);
    return this.#lockTracing;
  }

  end(result: ApiResult): void {
    this.span?.end(result);
    const durationMs = performance.now() - this.#startedAt;
    const { status, responseBytes, errorCode, isLogged } = result;
    const { requestBytes = this.call.requestBytes } = result;
    this.#record(this.call, {
      status,
      responseBytes,
      requestBytes,
      errorCode,
      isLogged,
      durationMs,
    });
  }
}

function isProbe({ protocol, path }: ApiCall): boolean {
  return protocol === 'http' && path.includes(PROBE_PATH);
}

function toHeaders(
  context: TraceContext,
  baggage: string | undefined,
): Readonly<Record<string, string>> {
  const { traceState = '' } = context;
  return {
    traceparent: toTraceparent(context),
    ...(traceState === '' ? {} : { tracestate: traceState }),
    ...(baggage === undefined ? {} : { baggage }),
  };
}

function toBinary(context: TraceContext): Buffer {
  return context === NO_TRACE ? Buffer.alloc(0) : toTraceBin(context);
}

function toRefusal(call: ApiCall): string | undefined {
  const baggage = call.header('baggage');
  if (baggage === undefined || baggage === '') return undefined;
  const problem = findBaggageProblem(baggage);
  return problem === undefined ? undefined : `invalid baggage header: ${problem}`;
}
