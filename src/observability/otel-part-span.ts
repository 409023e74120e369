import type { Span } from '@opentelemetry/api';

import type { PartSpan } from './tracer';

/** A wait or a hold as a span of OpenTelemetry. */
export class OtelPartSpan implements PartSpan {
  readonly #span: Span;

  constructor(span: Span) {
    this.#span = span;
  }

  add(event: string, attributes: Readonly<Record<string, string | number>> = {}): void {
    this.#span.addEvent(event, { ...attributes });
  }

  end(outcome: string): void {
    this.#span.setAttribute('dapr.lock.outcome', outcome);
    this.#span.end();
  }
}
