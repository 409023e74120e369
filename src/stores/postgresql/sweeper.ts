import { type Clock, processClock, type Timer } from '../../base/clock';
import type { Logger } from '../../base/logger';
import { toErrorMessage } from '../../base/error-message';
import type { Links } from '../attempts/link';
import type { PostgresqlLink } from './postgresql-link';
import { ROWS_A_SWEEP } from './queue-functions';
import { oneRow, toNumber } from './replies';
import type { Statements } from './statements';

/** Pauses between sweeps, in milliseconds: if there was more to delete, and otherwise. */
const PAUSE_MS = { more: 200, otherwise: 15_000 } as const;

/** How much a pause may vary, as a share of it, so that sidecars don't sweep together. */
const SPREAD = 0.5;

/** The dependencies of a {@link Sweeper}. */
export interface SweeperOptions {
  readonly links: Links<PostgresqlLink>;
  readonly statements: Statements;
  readonly logger: Logger;
  /** Default: the clock of the process. */
  readonly clock?: Clock;
}

/**
 * Deletes rows that are over, now and then, and ends connections that are not needed. Every sidecar
 * does it. A sweep that fails is repeated with the next.
 */
export class Sweeper {
  readonly #options: SweeperOptions;
  readonly #clock: Clock;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(options: SweeperOptions) {
    this.#options = options;
    this.#clock = options.clock ?? processClock;
  }

  /** Begins to sweep. */
  start(): void {
    this.#after(PAUSE_MS.otherwise);
  }

  /** Ends the sweeping. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.close();
  }

  #after(pauseMs: number): void {
    if (this.#isStopped) return;
    this.#timer?.close();
    this.#timer = this.#clock.after(pauseMs * (1 + SPREAD * Math.random()), () => {
      void this.#sweep();
    });
    this.#timer.unref();
  }

  async #sweep(): Promise<void> {
    let hasMore = false;
    const link = this.#options.links.linkFor('');
    try {
      link?.trim();
      const rows = await link?.run(this.#options.statements.call('sweep', {}));
      hasMore = rows !== undefined && toNumber(oneRow(rows)[0]) >= ROWS_A_SWEEP;
    } catch (error) {
      this.#options.logger.debug(`A sweep failed: ${toErrorMessage(error)}`);
    }
    this.#after(hasMore ? PAUSE_MS.more : PAUSE_MS.otherwise);
  }
}
