import { format } from 'node:util';

import type { Logger } from '../base/logger';

/** The console methods that libraries use, with the log level for each. */
const LEVELS = {
  log: 'info',
  info: 'info',
  debug: 'debug',
  dir: 'info',
  trace: 'debug',
  warn: 'warn',
  error: 'warn',
} as const satisfies Partial<Record<keyof Console, keyof Logger>>;

/**
 * Sends the console output of libraries to the log. grpc-js prints connection errors, and others
 * print warnings. A plain line among the log lines would break log shippers.
 */
export function logLibraryOutput(target: object, logger: Logger): void {
  const methods = Object.entries(LEVELS).map(([method, level]) => [
    method,
    (...values: readonly unknown[]) => {
      logger[level](format(...values));
    },
  ]);
  Object.assign(target, Object.fromEntries(methods));
}
