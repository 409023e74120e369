import type { Logger } from '../base/logger';

/** Receives a problem. */
export type Say = (problem: string) => void;

/** Takes warnings and errors; what a sidecar merely mentions is no problem. */
export function toLogger(say: Say): Logger {
  const silent = (): void => undefined;
  const logger: Logger = {
    isDebug: false,
    ...{ debug: silent, info: silent, warn: say, error: say, fatal: say },
    scoped: () => logger,
  };
  return logger;
}
