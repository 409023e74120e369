import { format } from 'node:util';

import type { Logger } from '../base/logger';

/** The methods by which libraries print, and the level at which it is logged. */
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
 * Sends to the log what libraries print to the console: grpc-js prints errors of connections, others
 * what they think odd. A plain line between those of the log is one that no shipper can read.
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
