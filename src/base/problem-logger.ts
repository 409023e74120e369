import type { Logger } from './logger';

/** Receives a line for people. */
export type Say = (line: string) => void;

/** The levels of {@link createProblemLogger} that a person hears of. */
export interface ProblemLevels {
  /** Omitted if warnings are dropped, too. */
  readonly warn?: Say;
  readonly error: Say;
}

/** A log for commands that talk to a person: only problems are written, without fields or scopes. */
export function createProblemLogger({ warn = drop, error }: ProblemLevels): Logger {
  const logger: Logger = {
    isDebug: false,
    ...{ debug: drop, info: drop, warn, error, fatal: error },
    scoped: () => logger,
  };
  return logger;
}

function drop(): void {
  return;
}
