import { setImmediate as nextTurn } from 'node:timers/promises';

import { toErrorMessage } from '../base/error-message';
import type { Logger } from '../base/logger';
import { race, runWithin } from '../base/race';

/** The options of a shutdown. This module decides how the process ends, and main carries it out. */
export interface ShutdownOptions {
  /**
   * Closes everything. It can be called during the start. The signal aborts at the end of the grace
   * period; then there is only time to log what was not finished.
   */
  readonly stop: (grace: AbortSignal) => Promise<void>;
  /** The grace period in milliseconds. Undefined for no limit. */
  readonly graceMs: number | undefined;
  readonly exit: (code: 0 | 1) => void;
  readonly logger: Logger;
  /**
   * How long after the first signal the same signal counts as a copy of it, in milliseconds. By
   * default 0, as in daprd: see {@link toCopyWindowMs}.
   */
  readonly copyWindowMs?: number;
  /** A monotonic clock in milliseconds; by default the process's own. */
  readonly now?: () => number;
}

/** The events that can end the process. */
export interface Shutdown {
  /**
   * SIGTERM or SIGINT. The first one ends gracefully with exit code 0, the second one at once with
   * 1. A copy of the first signal, forwarded by a launcher, does not count as a second one.
   */
  onSignal(signal: 'SIGTERM' | 'SIGINT'): void;
  /** The shutdown API. With `force`, exits with code 1 without waiting for calls in flight. */
  request(options: { readonly force: boolean }): void;
  /** A failed start or a bug. Everything is closed, and the exit code is 1. */
  fail(message: string): void;
}

/** Go's names for signals, as daprd logs them. */
const SIGNAL_NAMES = { SIGTERM: 'terminated', SIGINT: 'interrupt' } as const;

/** How long a forced shutdown waits for its answer to reach the client (100 ms in daprd). */
const FORCED_DELAY_MS = 100;

/**
 * The window for copies of a signal: 100 ms if npm runs a script that begins with `exec`, as `npm
 * start` does, else 0. A terminal sends Ctrl-C to npm and to this process, and systemd does the
 * same with SIGTERM. npm forwards its own copy 0.5 to 4 ms later. Nobody presses a key twice within
 * 100 ms.
 */
export function toCopyWindowMs({ npm_lifecycle_script: script }: NodeJS.ProcessEnv): number {
  return script?.startsWith('exec ') === true ? 100 : 0;
}

/** Creates the shutdown. The first event decides the exit code. */
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

/** Stops within the grace period. Returns whether that succeeded. */
async function stopWithin({ stop, graceMs, logger }: ShutdownOptions): Promise<boolean> {
  try {
    const isInTime = await runWithin({ afterMs: graceMs }, (grace) => {
      const stopped = stop(grace).then(() => !grace.aborted);
      // A resource that is cut off at the end of the grace period can still log that in this turn.
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
