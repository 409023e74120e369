import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';

import type { Logger } from '../base/logger';
import { TOLD_EVERY_MS } from '../base/trouble';

/** How many descriptors stay free for Redis, files and the listeners, of a limit that is small. */
const FEWEST_RESERVED = 64;

/** The same of a limit of 1024, which is a usual one, and of every larger one. */
const MOST_RESERVED = 128;

/** As many connections are accepted in any case: a sidecar that takes none is of no use. */
const FEWEST_CONNECTIONS = 16;

/** What Node publishes of every connection that any server of the process has accepted. */
const ACCEPTED = 'net.server.socket';

/** How many connections of clients a process takes whose limit is so many open files. */
export function toConnectionLimit(openFiles: number): number {
  const reserved = Math.max(FEWEST_RESERVED, Math.min(MOST_RESERVED, Math.floor(openFiles / 8)));
  return Math.max(FEWEST_CONNECTIONS, openFiles - reserved);
}

/** The process's limit of open files; undefined where the system does not tell or there is none. */
export function readOpenFilesLimit(file = '/proc/self/limits'): number | undefined {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync(file, 'utf8'))?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

/**
 * Bounds the connections of clients by what the system allows.
 *
 * @returns what lifts the bound
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
 * Keeps clients from taking every descriptor that the process may have: with none left a lost
 * connection to Redis can't be opened again, and all locks stand still. Connections beyond the limit
 * are closed as soon as they are accepted, whichever server they came to.
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

  /** Counts from now on. */
  start(): void {
    subscribe(ACCEPTED, this.#onAccepted);
  }

  /** Counts no more. */
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
    if (performance.now() - this.#saidAtMs < TOLD_EVERY_MS) return;
    this.#saidAtMs = performance.now();
    this.#logger.warn(
      `${this.#limit} client connections are open, the most that the limit of open files allows; further ones are closed`,
    );
  }
}
