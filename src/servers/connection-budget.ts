import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';

import type { Logger } from '../base/logger';
import { REPORT_INTERVAL_MS } from '../base/trouble';

/** File descriptors to keep free for Redis, files and listeners, if the limit is small. */
const FEWEST_RESERVED = 64;

/** The same for a limit of 1024, which is common, or more. */
const MOST_RESERVED = 128;

/** Connections to accept in any case, because a sidecar without connections is useless. */
const FEWEST_CONNECTIONS = 16;

/** The diagnostics channel on which Node publishes every accepted connection. */
const ACCEPTED = 'net.server.socket';

/** The number of client connections for a limit of open files. */
export function toConnectionLimit(openFiles: number): number {
  const reserved = Math.max(FEWEST_RESERVED, Math.min(MOST_RESERVED, Math.floor(openFiles / 8)));
  return Math.max(FEWEST_CONNECTIONS, openFiles - reserved);
}

/**
 * Reads the process's limit of open files. Undefined if the system does not report one, or there is
 * none.
 */
export function readOpenFilesLimit(file = '/proc/self/limits'): number | undefined {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync(file, 'utf8'))?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

/**
 * Limits client connections to what the limit of open files allows.
 *
 * @returns a function that removes the limit
 */
export function limitConnections(logger: Logger): () => Promise<void> {
  const openFiles = readOpenFilesLimit();
  if (openFiles === undefined) return () => Promise.resolve();
  const budget = new ConnectionBudget(toConnectionLimit(openFiles), logger);
  budget.start();
  return () => {
    budget.close();
    return Promise.resolve();
  };
}

/**
 * Prevents clients from using all file descriptors. Without a free one, a lost connection to Redis
 * could not be opened again, and no lock could be taken. Connections beyond the limit are closed as
 * soon as any server accepts them.
 */
class ConnectionBudget {
  readonly #limit: number;
  readonly #logger: Logger;
  #open = 0;
  #saidAtMs = -Infinity;

  constructor(limit: number, logger: Logger) {
    this.#limit = limit;
    this.#logger = logger;
  }

  /** Starts to count. */
  start(): void {
    subscribe(ACCEPTED, this.#onAccepted);
  }

  /** Stops counting. */
  close(): void {
    unsubscribe(ACCEPTED, this.#onAccepted);
  }

  readonly #onAccepted = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    this.#open += 1;
    socket.once('close', () => {
      this.#open -= 1;
    });
    if (this.#open <= this.#limit) return;
    this.#say();
    socket.destroy();
  };

  #say(): void {
    if (performance.now() - this.#saidAtMs < REPORT_INTERVAL_MS) return;
    this.#saidAtMs = performance.now();
    this.#logger.warn(
      `${this.#limit} client connections are open, the most that the limit of open files allows; further ones are closed`,
    );
  }
}
