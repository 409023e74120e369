import { STATUS_CODES } from 'node:http';

import type * as grpc from '@grpc/grpc-js';

import {
  type Attributes,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer as OtelTracer,
} from '@opentelemetry/api';
import { TraceState } from '@opentelemetry/core';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  type Sampler,
  SamplingDecision,
  SimpleSpanProcessor,
  type SpanExporter,
  type SpanProcessor,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';

import type { ApiCall, ApiResult } from '../api/api-observer';
import type { Logger } from '../base/logger';
import { race } from '../base/race';
import type { OtelSettings, TracingSettings } from '../configuration/configuration';
import type { LockCallReport } from '../lock/lock-observer';
import type { SystemAuthorities } from '../trust/system-authorities';
import { toGrpcStatusName } from './grpc-status-names';
import { LogSpanExporter } from './log-span-exporter';
import { logExportFailures } from './otel-diagnostics';
import { toAgentFactory, toContext, type TracingTrust, trustByDefault } from './otel-trust';
import type { TraceContext } from './trace-context';
import { OtelPartSpan } from './otel-part-span';
import type { CallSpan, PartSpan, Tracer } from './tracer';

/** The options of {@link createOtelTracer}. */
export interface OtelTracerOptions {
  readonly settings: TracingSettings;
  /** The `service.name`, unless OTEL_SERVICE_NAME is set. */
  readonly appId: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
  /** If true, spans contain resource and owner (--trace-lock-details). */
  readonly showsLockDetails: boolean;
  /** The CAs to trust. */
  readonly authorities: SystemAuthorities;
}

/**
 * Time for sending the last spans, in milliseconds, so that a receiver that is away does not delay
 * the shutdown.
 */
const CLOSE_WITHIN_MS = 2000;

/** daprd's default sampling rate, if none is set. */
const DEFAULT_SAMPLING_RATE = 0.0001;

/**
 * Creates a tracer that records spans with OpenTelemetry and sends them through OTLP or to Zipkin.
 * Names and attributes are daprd's (dapr/dapr pkg/diagnostics), with the lock's store and outcome
 * added.
 */
export async function createOtelTracer(options: OtelTracerOptions): Promise<Tracer> {
  const { settings, appId, environment, showsLockDetails } = options;
  logExportFailures(options.logger);
  const rate = Number(settings.samplingRate ?? DEFAULT_SAMPLING_RATE);
  // As in daprd, an empty one counts as not set.
  const { OTEL_SERVICE_NAME: ownName = '' } = environment;
  const serviceName = ownName === '' ? appId : ownName;
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({
      ...parsePairs(environment.OTEL_RESOURCE_ATTRIBUTES ?? ''),
      'service.name': serviceName,
    }),
    sampler: new DaprSampler(rate),
    spanProcessors: await createProcessors(options, serviceName),
  });
  const tracer = provider.getTracer('holdfast');
  return {
    start(call, parent) {
      const context = parent === undefined ? ROOT_CONTEXT : contextOf(parent);
      const span = tracer.startSpan(call.path, { kind: SpanKind.CLIENT }, context);
      return new OtelSpan(span, { call, parent, showsLockDetails, tracer });
    },
    close: async () => {
      const closed = provider.shutdown().catch(() => undefined);
      await race(closed, { afterMs: CLOSE_WITHIN_MS }, () => undefined);
    },
  };
}

/** Samples every call whose parent is sampled, and a share of the others. */
class DaprSampler implements Sampler {
  readonly #ratio: TraceIdRatioBasedSampler;

  constructor(rate: number) {
    this.#ratio = new TraceIdRatioBasedSampler(rate);
  }

  shouldSample(context: Parameters<Sampler['shouldSample']>[0], traceId: string) {
    const parent = trace.getSpanContext(context);
    if (parent !== undefined && (parent.traceFlags & 1) === 1) {
      return { decision: SamplingDecision.RECORD_AND_SAMPLED };
    }
    return this.#ratio.shouldSample(context, traceId);
  }
}

class OtelSpan implements CallSpan {
  readonly #span: Span;
  readonly #call: ApiCall;
  readonly #showsLockDetails: boolean;
  readonly #tracer: OtelTracer;
  readonly context: TraceContext;

  constructor(
    span: Span,
    options: {
      readonly call: ApiCall;
      readonly parent: TraceContext | undefined;
      readonly showsLockDetails: boolean;
      readonly tracer: OtelTracer;
    },
  ) {
    this.#span = span;
    this.#tracer = options.tracer;
    this.#call = options.call;
    this.#showsLockDetails = options.showsLockDetails;
    const { traceId, spanId, traceFlags } = span.spanContext();
    this.context = { traceId, spanId, flags: traceFlags, traceState: options.parent?.traceState };
    if (span.isRecording()) span.setAttributes(attributesOf(options.call));
  }

  addLock({ storeName, isKnownStore, resourceId, lockOwner, outcome }: LockCallReport): void {
    if (!this.#span.isRecording()) return;
    if (isKnownStore) this.#span.setAttribute('dapr.lock.store', storeName);
    this.#span.setAttribute('dapr.lock.outcome', outcome);
    if (!this.#showsLockDetails) return;
    this.#span.setAttributes({ 'dapr.lock.resource': resourceId, 'dapr.lock.owner': lockOwner });
  }

  begin(part: 'wait' | 'hold', storeName: string): PartSpan | undefined {
    if (!this.#span.isRecording()) return undefined;
    const attributes = { 'dapr.lock.store': storeName };
    const context = trace.setSpan(ROOT_CONTEXT, this.#span);
    return new OtelPartSpan(this.#tracer.startSpan(`lock ${part}`, { attributes }, context));
  }

  end({ status }: ApiResult): void {
    const isHttp = this.#call.protocol === 'http';
    this.#span.setAttribute('dapr.status_code', String(status));
    const failed = isHttp ? status >= 400 : status !== 0;
    if (failed) {
      const name = isHttp ? httpStatusText(status) : toGrpcStatusName(status);
      this.#span.setStatus({ code: SpanStatusCode.ERROR, message: `Code(${status}): ${name}` });
    }
    this.#span.end();
  }
}

function attributesOf(call: ApiCall): Attributes {
  const { protocol, verb, path, target, remoteAddress, remotePort } = call;
  const own: Attributes = Object.fromEntries(
    call
      .headerNames()
      .filter((name) => name.startsWith('dapr-') && !name.endsWith('-bin'))
      .filter((name) => name !== 'dapr-api-token')
      .map((name) => [name, call.header(name) ?? '']),
  );
  if (protocol === 'grpc') return { ...own, 'dapr.api': path, 'dapr.protocol': 'grpc' };
  return {
    ...own,
    'dapr.api': `${verb} ${path}`,
    'dapr.protocol': 'http',
    'http.request.method': verb,
    'url.full': target,
    // As in daprd, these describe the caller.
    ...(remoteAddress === undefined ? {} : { 'server.address': remoteAddress }),
    ...(remotePort === undefined ? {} : { 'server.port': remotePort }),
  };
}

function contextOf({ traceId, spanId, flags, traceState }: TraceContext) {
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: flags,
    isRemote: true,
    ...(traceState === undefined ? {} : { traceState: new TraceState(traceState) }),
  });
}

async function createProcessors(
  { settings, logger, ...trust }: OtelTracerOptions,
  serviceName: string,
): Promise<SpanProcessor[]> {
  const { stdout, zipkinEndpoint, otel } = settings;
  const processors: SpanProcessor[] = [];
  if (stdout) processors.push(new SimpleSpanProcessor(new LogSpanExporter(logger)));
  if (zipkinEndpoint !== undefined) {
    if (zipkinEndpoint.startsWith('https:')) trustByDefault(trust);
    const { ZipkinExporter } = await import('@opentelemetry/exporter-zipkin');
    processors.push(
      new BatchSpanProcessor(new ZipkinExporter({ url: zipkinEndpoint, serviceName })),
    );
  }
  if (otel !== undefined)
    processors.push(new BatchSpanProcessor(await createOtlpExporter(otel, trust)));
  return processors;
}

async function createOtlpExporter(
  settings: OtelSettings,
  trust: TracingTrust,
): Promise<SpanExporter> {
  const { url, protocol, headers, timeoutMs } = settings;
  const isSecure = url.startsWith('https:');
  const limits = timeoutMs === undefined ? {} : { timeoutMillis: timeoutMs };
  if (protocol === 'http') {
    const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-proto');
    const agent = isSecure ? { httpAgentOptions: toAgentFactory(trust) } : {};
    return new OTLPTraceExporter({ url, headers: { ...headers }, ...limits, ...agent });
  }
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-grpc');
  const { credentials, Metadata } = loadGrpcOfExporter();
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return new OTLPTraceExporter({
    url,
    metadata,
    ...limits,
    ...(isSecure ? { credentials: credentials.createFromSecureContext(toContext(trust)) } : {}),
  });
}

/**
 * Loads the exporter's own copy of grpc-js: it accepts no credentials from another. This file and the exporter are in one
 * bundle, which has a copy of its own.
 */
function loadGrpcOfExporter(): typeof grpc {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- at its first use
  return require('@grpc/grpc-js') as typeof grpc;
}

/** Reads `a=1,b=2` with percent-encoded values, the format of OTEL_RESOURCE_ATTRIBUTES. */
function parsePairs(text: string): Record<string, string> {
  const pairs = text.split(',').filter((pair) => pair.includes('='));
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name = '', ...value] = pair.split('=');
      return [name.trim(), decode(value.join('=').trim())];
    }),
  );
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function httpStatusText(status: number): string {
  return STATUS_CODES[status] ?? '';
}
