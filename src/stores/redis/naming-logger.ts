import type { LogFields, Logger } from '../../lock/logger';

/**
 * A log whose lines begin with the component that they are about: a sidecar may have many stores,
 * on one Redis or on several.
 */
export function createNamingLogger(logger: Logger, componentName: string): Logger {
  const write = (level: 'debug' | 'info' | 'warn' | 'error' | 'fatal') => {
    return (message: string, fields?: LogFields): void => {
      logger[level](`Component ${componentName}: ${message}`, fields);
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
    scoped: (...scope) => createNamingLogger(logger.scoped(...scope), componentName),
  };
}
