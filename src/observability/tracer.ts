import type { ApiCall, ApiResult } from '../api/api-observer';
import type { TracingSettings } from '../configuration/configuration';
import type { LockCallReport } from '../lock/lock-observer';
import {
  createUnsampledTrace,
  NO_TRACE,
  parseTraceBin,
  parseTraceparent,
  type TraceContext,
} from './trace-context';

/** A call as part of a trace. */
export interface CallSpan {
  /** Sent back to the client. */
  readonly context: TraceContext;
  /** Adds the lock call's data to the span. */
  addLock(report: LockCallReport): void;
  /** Begins a part of the call that may last for long. Undefined if the call is not recorded. */
  begin(part: 'wait' | 'hold', storeName: string): PartSpan | undefined;
  end(result: ApiResult): void;
}

/** The wait or the hold of a call, as a span of its own. */
export interface PartSpan {
  /** Adds something that happened. The attributes never contain an owner or a fencing token. */
  add(event: string, attributes?: Readonly<Record<string, string | number>>): void;
  end(outcome: string): void;
}

/** Records calls as spans. */
export interface Tracer {
  start(call: ApiCall, parent: TraceContext | undefined): CallSpan;
  /** Sends the remaining spans. */
  close(): Promise<void>;
}

/** How traces are handled. */
export type TracingMode =
  /** Sampling rate 0: no header is read or sent. */
  | 'off'
  /** Nothing is exported and no rate is set: contexts are passed on. */
  | 'pass-on'
  /** Spans are recorded. */
  | 'record';

/** Finds the mode for a configuration and the OTEL_* variables (dapr/dapr pkg/diagnostics). */
export function toTracingMode(settings: TracingSettings): TracingMode {
  const { samplingRate, stdout, zipkinEndpoint, otel } = settings;
  if (samplingRate !== undefined && Number(samplingRate) === 0) return 'off';
  const isExported = stdout || zipkinEndpoint !== undefined || otel !== undefined;
  return isExported || samplingRate !== undefined ? 'record' : 'pass-on';
}

/**
 * Reads the trace context of a call. An invalid header counts as broken; daprd then answers with a
 * context of zeros, if nothing is exported.
 */
export function readParent(call: ApiCall): TraceContext | 'broken' | undefined {
  const binary = call.binary('grpc-trace-bin');
  if (binary !== undefined && binary.length > 0) return parseTraceBin(binary) ?? 'broken';
  const header = call.header('traceparent');
  if (header === undefined || header === '') return undefined;
  return parseTraceparent(header, call.header('tracestate')) ?? 'broken';
}

/** The context to answer without a span: the client's own, or an empty one. */
export function passOn(parent: TraceContext | 'broken' | undefined): TraceContext {
  if (parent === 'broken') return NO_TRACE;
  return parent ?? createUnsampledTrace();
}
