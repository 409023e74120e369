import type { LogFields, Logger } from './logger';

/** Changes a log line. `fields` is undefined if the line has none. */
export type MapLine = (
  message: string,
  fields: LogFields | undefined,
) => readonly [message: string, fields?: LogFields | undefined];

/**
 * Creates a logger that changes each line and passes it on to another logger. This includes its
 * scopes.
 */
export function createMappedLogger(logger: Logger, map: MapLine): Logger {
  const write = (level: 'debug' | 'info' | 'warn' | 'error' | 'fatal') => {
    return (message: string, fields?: LogFields): void => {
      logger[level](...map(message, fields));
    };
  };
  return {
    get isDebug() {
      return logger.isDebug;
    },
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    fatal: write('fatal'),
    scoped: (...scope) => createMappedLogger(logger.scoped(...scope), map),
  };
}
