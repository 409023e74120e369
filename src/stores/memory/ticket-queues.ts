import type { AskCall, QueueListener } from '../../lock/store-abilities';

/** A waiter's place in a queue. */
interface Ticket {
  readonly attemptId: string;
  /** After this time the ticket can't be granted any more, in milliseconds on the store's clock. */
  readonly waitUntilMs: number;
}

/**
 * The queues of all locks, first come, first served. All tickets belong to this process and end
 * with it, so a ticket is dropped only when its own deadline passes.
 */
export class TicketQueues {
  readonly #now: () => number;
  readonly #queues = new Map<string, Ticket[]>();
  #listener: QueueListener | undefined;

  /** @param now a monotonic clock in milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Registers the listener that is called when a ticket may ask for its lock. */
  listen(listener: QueueListener): void {
    this.#listener = listener;
  }

  /** True if a live ticket of another attempt is first in the queue. */
  isLedByOther(key: string, attemptId?: string): boolean {
    const head = this.#headOf(key);
    return head !== undefined && head.attemptId !== attemptId;
  }

  /** Adds a ticket for an attempt, unless it has one. Returns the number of tickets before it. */
  enter({ key, attempt, waitUntilMs }: AskCall): number {
    const queue = this.#queues.get(key) ?? [];
    this.#queues.set(key, queue);
    const place = queue.findIndex(({ attemptId }) => attemptId === attempt.id);
    return place >= 0 ? place : queue.push({ attemptId: attempt.id, waitUntilMs }) - 1;
  }

  /** Removes the ticket of an attempt. Returns true if it was the first. */
  leave(key: string, attemptId: string): boolean {
    const queue = this.#queues.get(key) ?? [];
    const place = queue.findIndex((ticket) => ticket.attemptId === attemptId);
    if (place >= 0) queue.splice(place, 1);
    if (queue.length === 0) this.#queues.delete(key);
    return place === 0;
  }

  /** Notifies the first ticket of a queue, if there is one, that it may ask. */
  wake(key: string): void {
    const head = this.#headOf(key);
    if (head !== undefined) this.#listener?.woken(head.attemptId);
  }

  /** The number of tickets that wait for a lock. */
  lengthOf(key: string): number {
    return this.#queues.get(key)?.length ?? 0;
  }

  /** The first live ticket. Drops dead tickets before it. */
  #headOf(key: string): Ticket | undefined {
    const queue = this.#queues.get(key);
    while (queue?.[0] !== undefined && queue[0].waitUntilMs <= this.#now()) queue.shift();
    if (queue?.length === 0) this.#queues.delete(key);
    return queue?.[0];
  }
}
