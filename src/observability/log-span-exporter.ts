import { ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';

import type { Logger } from '../base/logger';

/**
 * Writes spans to the log in daprd's sentence and scope (dapr/dapr pkg/diagnostics/utils), with
 * their attributes. OpenTelemetry's own exporter would print multi-line objects between the log
 * lines.
 */
export class LogSpanExporter implements SpanExporter {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger.scoped('dapr.runtime.trace');
  }

  export(spans: readonly ReadableSpan[], done: Parameters<SpanExporter['export']>[1]): void {
    for (const span of spans) this.#write(span);
    done({ code: ExportResultCode.SUCCESS });
  }

  async shutdown(): Promise<void> {
    // Nothing to flush: every line is already written.
  }

  #write(span: ReadableSpan): void {
    const { traceId, spanId } = span.spanContext();
    const parent = span.parentSpanContext?.spanId ?? '0'.repeat(16);
    const events = span.events.map(({ name }) => name).join(' ');
    const time = `[${toIso(span.startTime)} ->  ${toIso(span.endTime)}]`;
    this.#logger.info(
      `[${span.name}] Trace: ${traceId} Span: ${parent}/${spanId} Time: ${time} Annotations: [${events}]`,
      { attributes: JSON.stringify(span.attributes) },
    );
  }
}

/** Formats seconds and nanoseconds since 1970. */
function toIso([seconds, nanoseconds]: ReadableSpan['startTime']): string {
  return new Date(seconds * 1000 + nanoseconds / 1e6).toISOString();
}
