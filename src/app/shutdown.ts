import { setImmediate as nextTurn } from 'node:timers/promises';

import { toErrorMessage } from '../base/error-message';
import type { Logger } from '../base/logger';
import { race, runWithin } from '../base/race';

/** How the process comes to its end; decided here, carried out by main. */
export interface ShutdownOptions {
  /**
   * Closes everything; may be called while the start is still under way. The signal aborts when
   * the grace is over: then there is still time to say what was left undone, and for no more.
   */
  readonly stop: (grace: AbortSignal) => Promise<void>;
  /** How long that may take, in milliseconds; undefined for ever. */
  readonly graceMs: number | undefined;
  readonly exit: (code: 0 | 1) => void;
  readonly logger: Logger;
  /**
   * How soon after the first signal the same one is taken for its copy, in milliseconds; by default
   * 0, as daprd has it: see {@link toCopyWindowMs}.
   */
  readonly copyWindowMs?: number;
  /** A clock that only goes forward, in milliseconds; the process's own by default. */
  readonly now?: () => number;
}

/** What can end the process. */
export interface Shutdown {
  /**
   * SIGTERM or SIGINT: the first ends gracefully with 0, the second at once with 1. A copy of the
   * first, which a launcher has handed on, is no second one.
   */
  onSignal(signal: 'SIGTERM' | 'SIGINT'): void;
  /** The shutdown API; forced: exit 1 without waiting for calls in flight. */
  request(options: { readonly force: boolean }): void;
  /** A start-up that failed, or a defect: everything is closed, and the exit code is 1. */
  fail(message: string): void;
}

/** The names that Go gives to signals, as daprd logs them. */
const SIGNAL_NAMES = { SIGTERM: 'terminated', SIGINT: 'interrupt' } as const;

/** How long a forced shutdown waits for its own answer to reach the client (daprd's 100 ms). */
const FORCED_DELAY_MS = 100;

/**
 * The window for copies of a signal: 100 ms where npm runs a script that begins with `exec`, as
 * `npm start` does, else 0. A terminal gives Ctrl-C to npm and to this process, and systemd SIGTERM;
 * npm hands its own on as well, 0.5 to 4 ms later. Nobody presses twice so fast.
 */
export function toCopyWindowMs({ npm_lifecycle_script: script }: NodeJS.ProcessEnv): number {
  return script?.startsWith('exec ') === true ? 100 : 0;
}

/** Makes the one way in which this process ends: whatever comes first decides the exit code. */
export function createShutdown(options: ShutdownOptions): Shutdown {
  const { exit, logger, copyWindowMs = 0, now = () => performance.now() } = options;
  let begun = false;
  let first: { readonly signal: string; readonly atMs: number } | undefined;

  const begin = (exitCode: 0 | 1): void => {
    if (begun) return;
    begun = true;
    logger.info('Dapr is shutting down');
    void stopWithin(options).then((stopped) => {
      exit(stopped ? exitCode : 1);
    });
  };

  return {
    onSignal(signal) {
      const name = SIGNAL_NAMES[signal];
      if (first?.signal === signal && now() - first.atMs < copyWindowMs) return;
      first ??= { signal, atMs: now() };
      if (begun) {
        logger.warn(`Received signal '${name}' during shutdown; exiting immediately`);
        exit(1);
        return;
      }
      logger.info(`Received signal '${name}'; beginning shutdown`);
      begin(0);
    },
    request({ force }) {
      if (!force) {
        logger.info('Shutdown requested via API');
        begin(0);
        return;
      }
      logger.warn('Force shutdown requested, exiting immediately without graceful shutdown');
      setTimeout(exit, FORCED_DELAY_MS, 1);
    },
    fail(message) {
      logger.fatal(message);
      begin(1);
    },
  };
}

/** Stops within the grace period and says whether that went well. */
async function stopWithin({ stop, graceMs, logger }: ShutdownOptions): Promise<boolean> {
  try {
    const isInTime = await runWithin({ afterMs: graceMs }, (grace) => {
      const stopped = stop(grace).then(() => !grace.aborted);
      // What the end of the grace cuts short has this turn to say so.
      const isLate = () => Promise.race([stopped, nextTurn(false)]);
      return race(stopped, { signals: [grace] }, isLate);
    });
    if (isInTime) logger.info('Daprd shutdown gracefully');
    else logger.error('Graceful shutdown timeout exceeded, forcing shutdown');
    return isInTime;
  } catch (error) {
    logger.error(`Error while shutting down: ${toErrorMessage(error)}`);
    return false;
  }
}
