import type { AskCall, QueueListener } from '../../lock/store-abilities';

/** A waiter's place in a queue. */
interface Ticket {
  readonly attemptId: string;
  /** Nothing is granted to it after that. */
  readonly waitUntilMs: number;
}

/**
 * The queues of all locks: first come, first served. Tickets of one process die with it, so that all they need
 * to be dropped for is their own deadline.
 */
export class TicketQueues {
  readonly #now: () => number;
  readonly #queues = new Map<string, Ticket[]>();
  #listener: QueueListener | undefined;

  /** @param now a monotonic clock in milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Registers who is told which ticket may ask. */
  listen(listener: QueueListener): void {
    this.#listener = listener;
  }

  /** True where a live ticket of another attempt leads. */
  isLedByOther(key: string, attemptId?: string): boolean {
    const head = this.#headOf(key);
    return head !== undefined && head.attemptId !== attemptId;
  }

  /** Gives an attempt a ticket unless it has one; tells how many stand before it. */
  enter({ key, attempt, waitUntilMs }: AskCall): number {
    const queue = this.#queues.get(key) ?? [];
    this.#queues.set(key, queue);
    const place = queue.findIndex(({ attemptId }) => attemptId === attempt.id);
    return place >= 0 ? place : queue.push({ attemptId: attempt.id, waitUntilMs }) - 1;
  }

  /** Takes the ticket of an attempt away; true where it led. */
  leave(key: string, attemptId: string): boolean {
    const queue = this.#queues.get(key) ?? [];
    const place = queue.findIndex((ticket) => ticket.attemptId === attemptId);
    if (place >= 0) queue.splice(place, 1);
    if (queue.length === 0) this.#queues.delete(key);
    return place === 0;
  }

  /** Tells the head of a queue, where there is one, that it may ask. */
  wake(key: string): void {
    const head = this.#headOf(key);
    if (head !== undefined) this.#listener?.woken(head.attemptId);
  }

  /** How many tickets wait for a lock. */
  lengthOf(key: string): number {
    return this.#queues.get(key)?.length ?? 0;
  }

  /** Drops dead tickets as far as they lead. */
  #headOf(key: string): Ticket | undefined {
    const queue = this.#queues.get(key);
    while (queue?.[0] !== undefined && queue[0].waitUntilMs <= this.#now()) queue.shift();
    if (queue?.length === 0) this.#queues.delete(key);
    return queue?.[0];
  }
}
