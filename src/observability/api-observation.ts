import { type Configuration, DEFAULT_CONFIGURATION } from '../configuration/configuration';
import { toErrorMessage } from '../lock/error-message';
import type { Logger } from '../lock/logger';
import type { ApiCall, ApiObserver, ApiResult, ObservedCall } from '../sidecar/api-observer';
import { ApiLog } from './api-log';
import { findBaggageProblem } from './baggage';
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

/** What of a configuration decides how calls are watched. */
type Settings = Pick<Configuration, 'tracing' | 'apiLogging'>;

/** What calls are watched with. */
export interface ApiObservationOptions {
  /** Made where spans are to be recorded; loads OpenTelemetry only then. */
  readonly createTracer: (settings: Settings['tracing']) => Promise<Tracer>;
  readonly metrics: Metrics | undefined;
  readonly logger: Logger;
}

/** What is in the paths of probes, which daprd leaves out of tracing altogether. */
const PROBE_PATH = '/healthz';

/** Watches the calls of both transports; its settings may change while calls run. */
export class ApiObservation implements ApiObserver {
  readonly #options: ApiObservationOptions;
  readonly #log: ApiLog;
  #settings: Settings = DEFAULT_CONFIGURATION;
  #mode: TracingMode = 'pass-on';
  #tracer: Tracer | undefined;
  /** Tracers that are replaced, until they are closed. */
  readonly #retired = new Set<Promise<void>>();

  constructor(options: ApiObservationOptions) {
    this.#options = options;
    this.#log = new ApiLog(options.logger);
  }

  /** Takes on settings, at the start and whenever they change; all of them or, where it rejects, none. */
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

  /** Sends the spans that are not sent yet. */
  async close(): Promise<void> {
    await Promise.all([this.#tracer?.close(), ...this.#retired]);
  }

  /** What a tracer has not sent yet is sent meanwhile: settings don't wait for that. */
  #retire(tracer: Tracer | undefined): void {
    const closed = tracer?.close().catch((error: unknown) => {
      this.#options.logger.warn(`Spans could not be sent: ${toErrorMessage(error)}`);
    });
    if (closed === undefined) return;
    this.#retired.add(closed);
    void closed.then(() => this.#retired.delete(closed));
  }

  begin(call: ApiCall): ObservedCall | undefined {
    const startedAt = performance.now();
    const isTraced = this.#mode !== 'off' && !isProbe(call);
    const trace = isTraced ? this.#beginTrace(call) : undefined;
    const refusal = isTraced ? toRefusal(call) : undefined;
    const { metrics } = this.#options;
    const settings = this.#settings;
    return {
      responseHeaders: trace === undefined ? {} : toHeaders(call, trace.context, refusal),
      responseTraceBin: trace === undefined ? undefined : toBinary(trace.context),
      refusal,
      lockObserver:
        trace?.span === undefined
          ? undefined
          : {
              ended: (report) => {
                trace.span?.addLock(report);
              },
            },
      end: (result: ApiResult) => {
        const measured = { ...result, durationMs: performance.now() - startedAt };
        trace?.span?.end(result);
        if (metrics?.isEnabled === true) metrics.recordCall(call, measured);
        this.#log.write(settings.apiLogging, call, measured);
      },
    };
  }

  #beginTrace(call: ApiCall): {
    readonly context: TraceContext;
    readonly span: CallSpan | undefined;
  } {
    const parent = readParent(call);
    if (this.#tracer === undefined) return { context: passOn(parent), span: undefined };
    const span = this.#tracer.start(call, parent === 'broken' ? undefined : parent);
    return { context: span.context, span };
  }
}

function isProbe({ protocol, path }: ApiCall): boolean {
  return protocol === 'http' && path.includes(PROBE_PATH);
}

/** The trace, and the client's own baggage unless it is refused. */
function toHeaders(
  call: ApiCall,
  context: TraceContext,
  refusal: string | undefined,
): Readonly<Record<string, string>> {
  const { traceState = '' } = context;
  const baggage = refusal === undefined ? (call.header('baggage') ?? '') : '';
  return {
    traceparent: toTraceparent(context),
    ...(traceState === '' ? {} : { tracestate: traceState }),
    ...(baggage === '' ? {} : { baggage }),
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
