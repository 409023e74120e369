import type { LeaseClock } from '../lock/lease-clock';
import type { Timer } from '../base/clock';
import {
  type AtRiskReason,
  LockAtRiskError,
  LockLostError,
  LockRejectedError,
  type LostReason,
} from './client-errors';
import type { Lock } from './lock';
import type { HoldEvent, LockCalls, TakeCall } from './lock-calls';

/** The parts of a held lock. */
export interface HeldLockParts {
  readonly calls: LockCalls;
  readonly clock: LeaseClock;
  /** The call that took it, with its owner. */
  readonly taken: TakeCall;
  readonly fencingToken: number;
  /** When the call was sent, on the clock. */
  readonly sentAtMs: number;
  readonly validMs: number;
  /** Ends the hold. */
  readonly endHold: () => void;
}

/** A lock is at risk when this share of its lease is left and it was not renewed; the sidecar renews at two thirds. */
const RISK_SHARE = 1 / 3;

/** The longest time between two looks at the clock, in milliseconds: timers stand still while a machine sleeps. */
const LOOK_EVERY_MS = 1000;

/** The pause before a renewal that failed is tried again, in milliseconds. */
const RETRY_MS = 200;

/** How long to wait for the answer to a release, in milliseconds. */
const RELEASE_TIMEOUT_MS = 5000;

/**
 * Counts the lease by itself, whatever the sidecar says or fails to say. Lost is final: what the sidecar says later
 * makes no lock of it. If the hold's connection breaks, the same grant is renewed by calls of their own: a sidecar
 * that was restarted does so, and one that has released the lock, because its client left, says that it is gone.
 */
export class HeldLock implements Lock {
  readonly #parts: HeldLockParts;
  readonly #risk = new AbortController();
  readonly #loss = new AbortController();
  #endMs: number;
  #state: 'held' | 'lost' | 'released' = 'held';
  #timer: Timer | undefined;
  #released: Promise<void> | undefined;

  constructor(parts: HeldLockParts) {
    this.#parts = parts;
    this.#endMs = parts.sentAtMs + parts.validMs;
    this.#look();
  }

  get resourceId(): string {
    return this.#parts.taken.resourceId;
  }

  get owner(): string {
    return this.#parts.taken.lockOwner;
  }

  get token(): number {
    return this.#parts.fencingToken;
  }

  get signal(): AbortSignal {
    return this.#risk.signal;
  }

  get lost(): AbortSignal {
    return this.#loss.signal;
  }

  get validForMs(): number {
    return this.#state === 'held' ? Math.max(0, Math.floor(this.#leftMs)) : 0;
  }

  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  /** Takes what the hold tells. */
  event(event: HoldEvent): void {
    this.#look();
    if (this.#state !== 'held') return;
    if (event.type === 'lost') this.#lose(event.reason);
    if (event.type !== 'renewed' && event.type !== 'atRisk') return;
    this.#endMs = this.#parts.sentAtMs + event.validMs;
    if (event.type === 'atRisk') this.#tellRisk(event.reason);
    this.#look();
  }

  /** Goes on without the hold, which has ended. */
  ended(): void {
    if (this.#state !== 'held') return;
    this.#tellRisk('DISCONNECTED');
    void this.#renewByCalls();
  }

  get #leftMs(): number {
    return this.#endMs - this.#parts.clock.now();
  }

  #look(): void {
    if (this.#state !== 'held') return;
    this.#timer?.close();
    const riskMs = this.#parts.taken.ttlMs * RISK_SHARE;
    if (this.#leftMs <= 0) {
      this.#lose('EXPIRED');
      return;
    }
    if (this.#leftMs <= riskMs) this.#tellRisk('NOT_RENEWED');
    const dueMs = this.#risk.signal.aborted ? this.#leftMs : this.#leftMs - riskMs;
    this.#timer = this.#parts.clock.after(Math.min(dueMs, LOOK_EVERY_MS), () => {
      this.#look();
    });
    this.#timer.unref();
  }

  #tellRisk(reason: AtRiskReason): void {
    if (this.#risk.signal.aborted) return;
    this.#risk.abort(new LockAtRiskError(this.resourceId, reason, this.validForMs));
  }

  #lose(reason: LostReason): void {
    this.#end('lost');
    const error = new LockLostError(this.resourceId, reason);
    this.#risk.abort(error);
    this.#loss.abort(error);
  }

  #end(state: 'lost' | 'released'): void {
    this.#state = state;
    this.#timer?.close();
    this.#parts.endHold();
  }

  async #renewByCalls(): Promise<void> {
    const { calls, clock, taken } = this.#parts;
    while (this.#state === 'held') {
      const sentAtMs = clock.now();
      const timeoutMs = Math.min(this.#leftMs, taken.ttlMs * RISK_SHARE);
      try {
        const answer = await calls.renew(this.#toGrant(), { timeoutMs });
        if (this.#isOver()) return;
        if (answer.status === 'RENEWED') this.#endMs = sentAtMs + answer.lease.validMs;
        else this.#lose(answer.status === 'NOT_FOUND' ? 'EXPIRED' : 'TAKEN_OVER');
        this.#look();
        await this.#pause(this.#leftMs * RISK_SHARE);
      } catch (error) {
        if (error instanceof LockRejectedError && error.code !== 'RESOURCE_EXHAUSTED') return;
        await this.#pause(RETRY_MS);
      }
    }
  }

  /** Looks first: the end may have passed while an answer was under way. */
  #isOver(): boolean {
    this.#look();
    return this.#state !== 'held';
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.clock.after(ms, resolve).unref();
    });
  }

  #toGrant() {
    return { ...this.#parts.taken, fencingToken: this.token === 0 ? undefined : this.token };
  }

  async #release(): Promise<void> {
    this.#look();
    if (this.#state === 'lost') throw this.#loss.signal.reason;
    const limits = { timeoutMs: Math.min(RELEASE_TIMEOUT_MS, Math.max(1, this.#leftMs)) };
    this.#state = 'released';
    this.#timer?.close();
    try {
      const status = await this.#parts.calls.release(this.#toGrant(), limits);
      if (status === 'RELEASED') return;
      const reason = status === 'NOT_FOUND' ? 'EXPIRED' : 'TAKEN_OVER';
      throw new LockLostError(this.resourceId, reason);
    } finally {
      this.#parts.endHold();
    }
  }
}
