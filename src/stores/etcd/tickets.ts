import { processClock, type Timer } from '../../base/clock';
import type { Attempt } from '../../lock/attempt';
import type { AskCall } from '../../lock/store-abilities';

/** The tickets of one lock. */
interface KeyTickets {
  readonly byAttempt: Map<string, Timer>;
  /** The attempt that led when it was last looked at. */
  head: string;
}

/** Receives the reports of {@link Tickets}. */
export interface TicketsOptions {
  /** The last ticket of a lock has gone. */
  readonly onUnused: (name: string) => void;
  /** The time of a ticket is over. */
  readonly onOver: (call: AskCall) => void;
}

/**
 * The tickets of this store, as it remembers them. etcd knows only that of the whole session, so
 * the time of each ticket is kept here.
 */
export class Tickets {
  readonly #options: TicketsOptions;
  readonly #byName = new Map<string, KeyTickets>();
  readonly #overdue = new Set<Attempt>();

  constructor(options: TicketsOptions) {
    this.#options = options;
  }

  /** Tickets whose time is over, and that may still stand in etcd. */
  get overdue(): ReadonlySet<Attempt> {
    return this.#overdue;
  }

  /** Adds a ticket, unless it is known. */
  add(call: AskCall): void {
    const { key, attempt, waitUntilMs } = call;
    const tickets = this.#byName.get(key) ?? { byAttempt: new Map<string, Timer>(), head: '' };
    this.#byName.set(key, tickets);
    if (tickets.byAttempt.has(attempt.id)) return;
    const timer = processClock.after(waitUntilMs - performance.now(), () => {
      this.remove(call);
      this.#overdue.add(attempt);
      this.#options.onOver(call);
    });
    timer.unref();
    tickets.byAttempt.set(attempt.id, timer);
  }

  /** Forgets a ticket. */
  remove({ key, attempt }: AskCall): void {
    const tickets = this.#byName.get(key);
    tickets?.byAttempt.get(attempt.id)?.close();
    tickets?.byAttempt.delete(attempt.id);
    if (tickets?.byAttempt.size !== 0) return;
    this.#byName.delete(key);
    this.#options.onUnused(key);
  }

  /** Forgets an overdue ticket, because it was deleted. */
  dropped(attempt: Attempt): void {
    this.#overdue.delete(attempt);
  }

  /** True if the ticket of an attempt is ours. */
  has(name: string, attemptId: string): boolean {
    return this.#byName.get(name)?.byAttempt.has(attemptId) === true;
  }

  /** Remembers who leads. Returns who did before; empty if that is not known. */
  setHead(name: string, attemptId: string): string {
    const tickets = this.#byName.get(name);
    if (tickets === undefined) return '';
    const before = tickets.head;
    tickets.head = attemptId;
    return before;
  }

  /** Forgets all tickets. */
  close(): void {
    for (const { byAttempt } of this.#byName.values()) {
      for (const timer of byAttempt.values()) timer.close();
    }
    this.#byName.clear();
    this.#overdue.clear();
  }
}
