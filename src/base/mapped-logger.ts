import type { LogFields, Logger } from './logger';

/** Changes what is said; the fields are undefined where there are none. */
export type MapLine = (
  message: string,
  fields: LogFields | undefined,
) => readonly [message: string, fields?: LogFields | undefined];

/** A log whose lines go to another, each changed on its way; its scopes likewise. */
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
