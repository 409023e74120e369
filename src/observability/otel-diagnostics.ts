import { diag, DiagLogLevel } from '@opentelemetry/api';

import type { Logger } from '../base/logger';

/** How often the same problem is logged, in milliseconds, because every batch of spans may fail. */
const AGAIN_AFTER_MS = 60_000;

/** Logs spans that can't be sent. OpenTelemetry would not report them. */
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

/** Reads the reason of an error, which arrives as JSON. */
function toReason(text: string): string {
  try {
    const { message } = JSON.parse(text) as { readonly message?: string };
    return message === undefined || message === '' ? text : message;
  } catch {
    return text;
  }
}
