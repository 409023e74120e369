import type { Clock } from '../../../src/base/clock';
import { StoreError, type UnlockOutcome } from '../../../src/lock/lock-store';
import type { AskCall, LockView } from '../../../src/lock/store-abilities';

/** How long a ticket lives that nobody refreshes. */
const TICKET_LIFE_MS = 3000;

export interface HeldLock {
  readonly owner: string;
  readonly attemptId: string;
  readonly token: number;
  endsAtMs: number;
}

export interface Ticket {
  readonly attemptId: string;
  readonly score: number;
  readonly waitUntilMs: number;
  readonly sidecar: WakeTarget;
  untilMs: number;
}

/** A sidecar, as the server knows it. */
export interface WakeTarget {
  wake(attemptId: string): void;
}

/** The answer of a script to an ask. */
export type ServerAnswer =
  | { readonly state: 'granted'; readonly token: number; readonly endsAtMs: number }
  | {
      readonly state: 'queued';
      readonly ahead: number;
      readonly freeAtMs: number;
      readonly score: number;
    };

/**
 * The server that sidecars share, as docs and LockQueue describe it, in the plainest words: no network, no fault, each
 * method one atomic script.
 */
export class LockServer {
  /** Counts losses of data. */
  epoch = 0;
  readonly #clock: Clock;
  readonly #locks = new Map<string, HeldLock>();
  readonly #queues = new Map<string, Ticket[]>();
  readonly #withdrawn = new Set<string>();
  readonly #epochs: number[] = [];
  #lastToken = 0;
  #lastScore = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  lockOf(key: string): HeldLock | undefined {
    const lock = this.#locks.get(key);
    if (lock === undefined || lock.endsAtMs > this.#clock.now()) return lock;
    this.#locks.delete(key);
    return undefined;
  }

  ticketsOf(key: string): readonly Ticket[] {
    return (this.#queues.get(key) ?? []).filter(({ untilMs }) => untilMs > this.#clock.now());
  }

  /** How often data had been lost when a token was given. */
  epochOf(token: number): number {
    return this.#epochs[token] ?? -1;
  }

  get keys(): readonly string[] {
    return [...new Set([...this.#locks.keys(), ...this.#queues.keys()])];
  }

  loseData(): void {
    this.epoch += 1;
    this.#locks.clear();
    this.#queues.clear();
    this.#withdrawn.clear();
  }

  /** Somebody of another version, or a daprd: takes the lock whatever the queue says. */
  barge(key: string, ttlMs: number): void {
    this.#grant(key, { owner: 'daprd', attemptId: '', ttlMs });
  }

  acquire(call: Omit<AskCall, 'waitUntilMs'>): ServerAnswer | undefined {
    const { key, owner, ttlMs, attempt } = call;
    this.#assertStands(attempt.id);
    const lock = this.lockOf(key);
    if (lock?.attemptId === attempt.id) return { state: 'granted', ...lock };
    if (lock !== undefined || this.#lead(key) !== undefined) return undefined;
    return { state: 'granted', ...this.#grant(key, { owner, attemptId: attempt.id, ttlMs }) };
  }

  ask(call: AskCall, sidecar: WakeTarget, oldScore: number | undefined): ServerAnswer {
    const { key, owner, ttlMs, attempt, waitUntilMs } = call;
    this.#assertStands(attempt.id);
    const lock = this.lockOf(key);
    if (lock?.attemptId === attempt.id) return { state: 'granted', ...lock };
    const head = this.#lead(key);
    const leads = head === undefined || head.attemptId === attempt.id;
    if (lock === undefined && leads && waitUntilMs > this.#clock.now()) {
      this.#removeTicket(key, attempt.id);
      return { state: 'granted', ...this.#grant(key, { owner, attemptId: attempt.id, ttlMs }) };
    }
    const score = oldScore ?? (this.#lastScore += 1);
    const ahead = this.#enqueue(key, {
      attemptId: attempt.id,
      score,
      waitUntilMs,
      sidecar,
      untilMs: 0,
    });
    const freeAtMs = lock?.endsAtMs ?? this.#clock.now();
    return { state: 'queued', ahead, freeAtMs, score };
  }

  refresh(keys: readonly string[], sidecar: WakeTarget): readonly string[] {
    for (const key of keys) {
      for (const ticket of this.ticketsOf(key)) {
        if (ticket.sidecar === sidecar) this.#refreshTicket(ticket);
      }
      const before = this.#queues.get(key)?.[0];
      const head = this.#lead(key);
      if (head !== undefined && head !== before) head.sidecar.wake(head.attemptId);
    }
    return keys.filter((key) => this.lockOf(key) === undefined);
  }

  leave(key: string, attemptId: string): void {
    this.#withdrawn.add(attemptId);
    const led = this.#lead(key)?.attemptId === attemptId;
    this.#removeTicket(key, attemptId);
    const held = this.lockOf(key)?.attemptId === attemptId;
    if (held) this.#locks.delete(key);
    if (led || held) this.#wakeHead(key);
  }

  renew(key: string, token: number, ttlMs: number): HeldLock | 'not_found' | 'held_by_other' {
    const lock = this.lockOf(key);
    if (lock === undefined) return 'not_found';
    if (lock.token !== token) return 'held_by_other';
    lock.endsAtMs = Math.max(lock.endsAtMs, this.#clock.now() + ttlMs);
    return lock;
  }

  release(key: string, token: number): UnlockOutcome {
    const lock = this.lockOf(key);
    if (lock === undefined) return 'not_found';
    if (lock.token !== token) return 'held_by_other';
    this.#locks.delete(key);
    this.#wakeHead(key);
    return 'unlocked';
  }

  view(key: string): LockView | undefined {
    const lock = this.lockOf(key);
    if (lock === undefined) return undefined;
    const { owner, token: fencingToken, endsAtMs: expiresAtMs } = lock;
    const leftMs = expiresAtMs - this.#clock.now();
    return { key, owner, fencingToken, leftMs, expiresAtMs, waiters: this.ticketsOf(key).length };
  }

  #assertStands(attemptId: string): void {
    if (!this.#withdrawn.has(attemptId)) return;
    throw new StoreError('withdrawn', { kind: 'rejected', outcome: 'not-applied' });
  }

  #grant(key: string, grant: { owner: string; attemptId: string; ttlMs: number }): HeldLock {
    this.#lastToken += 1;
    this.#epochs[this.#lastToken] = this.epoch;
    const { owner, attemptId, ttlMs } = grant;
    const endsAtMs = this.#clock.now() + ttlMs;
    const lock = { owner, attemptId, token: this.#lastToken, endsAtMs };
    this.#locks.set(key, lock);
    return lock;
  }

  /** The head, once those who died before it are dropped. */
  #lead(key: string): Ticket | undefined {
    const queue = this.#queues.get(key) ?? [];
    while (queue[0] !== undefined && queue[0].untilMs <= this.#clock.now()) queue.shift();
    if (queue.length === 0) this.#queues.delete(key);
    return queue[0];
  }

  #enqueue(key: string, ticket: Ticket): number {
    this.#removeTicket(key, ticket.attemptId);
    const queue = this.#queues.get(key) ?? [];
    const place = queue.findIndex(({ score }) => score > ticket.score);
    const ahead = place < 0 ? queue.length : place;
    this.#refreshTicket(ticket);
    queue.splice(ahead, 0, ticket);
    this.#queues.set(key, queue);
    return ahead;
  }

  #refreshTicket(ticket: Ticket): void {
    ticket.untilMs = Math.min(this.#clock.now() + TICKET_LIFE_MS, ticket.waitUntilMs);
  }

  #removeTicket(key: string, attemptId: string): void {
    const queue = (this.#queues.get(key) ?? []).filter((ticket) => ticket.attemptId !== attemptId);
    if (queue.length === 0) this.#queues.delete(key);
    else this.#queues.set(key, queue);
  }

  #wakeHead(key: string): void {
    const head = this.#lead(key);
    head?.sidecar.wake(head.attemptId);
  }
}
