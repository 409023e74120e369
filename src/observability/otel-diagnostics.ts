import { diag, DiagLogLevel } from '@opentelemetry/api';

import type { Logger } from '../base/logger';

/** How often the same trouble is said, in milliseconds: every batch of spans may fail. */
const AGAIN_AFTER_MS = 60_000;

/** Lets the log know of spans that can't be sent; OpenTelemetry keeps it to itself otherwise. */
export function logExportFailures(logger: Logger): void {
  const saidAtMs = new Map<string, number>();
  const say = (text: string): void => {
    const reason = toReason(text);
    const last = saidAtMs.get(reason) ?? -Infinity;
    if (performance.now() - last < AGAIN_AFTER_MS) return;
    saidAtMs.set(reason, performance.now());
    logger.warn(`Traces can't be sent: ${reason}`);
  };
  const ignore = (): void => undefined;
  diag.setLogger(
    { error: say, warn: say, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}

/** An error comes as the JSON of its members. */
function toReason(text: string): string {
  try {
    const { message } = JSON.parse(text) as { readonly message?: string };
    return message === undefined || message === '' ? text : message;
  } catch {
    return text;
  }
}
