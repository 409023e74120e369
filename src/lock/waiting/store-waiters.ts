import { DeadlineQueue } from '../../base/deadline-queue';
import type { LeaseClock } from '../lease-clock';
import { isWaitOver, type LockQueue, type QueueListener } from '../store-abilities';
import { AskPace } from './ask-pace';
import { ask, type AskEnd, isPassing, leaseIsOver, noAnswer, toFailure } from './asking';
import { type FirstAsks, notAsked } from './first-asks';
import { headsFirst, KeyWaiters } from './key-waiters';
import { RefreshBeat } from './refresh-beat';
import type { Waiter } from './waiter';
import { type EndReason, WaitEndedError, type WaitResult } from './waiter';

/** How long the last answer is awaited after the end of a wait, in milliseconds. */
export const LAST_ANSWER_MS = 250;

/**
 * The shortest pause before the head asks again, in milliseconds. A lease may end between two ticks
 * of the store's clock.
 */
const LEAST_PAUSE_MS = 10;

/** Receives the events of a store's waiters. */
export interface WaitersListener {
  /** The store woke a waiter. */
  woken(waiter: Waiter): void;
  /** A waiter's ticket is in the queue, behind so many others. Called once per waiter. */
  queued(waiter: Waiter, ahead: number): void;
  /** A waiter was answered. */
  settled(waiter: Waiter, result: WaitResult): void;
  /** A waiter needs no more work: its lock was granted, or its ticket is being withdrawn. */
  done(waiter: Waiter): void;
}

/**
 * The waiters of one store. The store keeps the tickets. This class keeps them alive, decides when
 * an ask is worthwhile, and ends each wait in time. It follows the rules of {@link LockQueue}.
 *
 * It uses one timer for all deadlines and one for refreshes, regardless of the number of waiters.
 */
export class StoreWaiters implements QueueListener {
  readonly #queue: LockQueue;
  readonly #clock: LeaseClock;
  readonly #listener: WaitersListener;
  readonly #keys = new Map<string, KeyWaiters>();
  readonly #byAttempt = new Map<string, Waiter>();
  readonly #deadlines: DeadlineQueue<Waiter>;
  readonly #pace = new AskPace();
  readonly #beat: RefreshBeat;
  readonly #firstAsks: FirstAsks;

  constructor(
    queue: LockQueue,
    { clock, firstAsks }: { readonly clock: LeaseClock; readonly firstAsks: FirstAsks },
    listener: WaitersListener,
  ) {
    this.#queue = queue;
    this.#clock = clock;
    this.#listener = listener;
    this.#deadlines = new DeadlineQueue(clock, (waiter) => {
      this.#due(waiter);
    });
    const refresh = (over: AbortSignal): Promise<void> => this.#refresh(over);
    this.#beat = new RefreshBeat({ everyMs: queue.refreshEveryMs, clock, refresh });
    this.#firstAsks = firstAsks;
    queue.listen(this);
  }

  /** The number of waiters. */
  get size(): number {
    return this.#byAttempt.size;
  }

  /** Adds a waiter and asks at once. */
  enter(waiter: Waiter): void {
    const { call, signal } = waiter.request;
    const ofKey = this.#keys.get(call.key) ?? new KeyWaiters();
    this.#keys.set(call.key, ofKey);
    ofKey.add(waiter);
    this.#byAttempt.set(call.attempt.id, waiter);
    signal.addEventListener('abort', waiter.onAbort);
    if (signal.aborted) {
      waiter.onAbort();
      return;
    }
    this.#beat.start();
    this.#ask(waiter);
    this.#schedule(waiter);
  }

  /** Ends the waits that fulfil a condition. */
  endWhere(condition: (waiter: Waiter) => boolean, reason: EndReason): void {
    for (const waiter of [...this.#byAttempt.values()]) {
      if (condition(waiter)) this.end(waiter, reason);
    }
  }

  /** Ends a wait before its time. */
  end(waiter: Waiter, reason: EndReason): void {
    if (waiter.state === 'ended') return;
    const isUnsure = waiter.isUnsure || waiter.isSent;
    this.#fail(waiter, new WaitEndedError(reason, isUnsure));
    waiter.ask?.abort();
  }

  woken(attemptId: string): void {
    const waiter = this.#byAttempt.get(attemptId);
    if (waiter === undefined) return;
    this.#listener.woken(waiter);
    this.#ask(waiter);
  }

  /** Saves a hand-over within this process the way of a wake-up, and one round trip. */
  releasing(key: string): void {
    const leader = this.#keys.get(key)?.leader;
    // An ask in progress may come too early, but then the wake-up follows.
    if (leader !== undefined && leader.ask === undefined) this.#ask(leader);
  }

  missed(): void {
    this.#beat.hurry();
  }

  lapsed(): void {
    const nowMs = this.#clock.now();
    headsFirst(this.#keys.values()).forEach((waiter, index) => {
      const pauseMs = this.#pace.pauseBehind(index);
      waiter.askAtMs = Math.min(waiter.askAtMs, nowMs + pauseMs);
      if (pauseMs === 0) this.#ask(waiter);
      else this.#schedule(waiter);
    });
  }

  /** Asks now, or again after the ask in progress. */
  #ask(waiter: Waiter): void {
    if (waiter.state !== 'waiting') return;
    // Otherwise it would be due again and again while an ask is in progress.
    waiter.askAtMs = Infinity;
    if (waiter.ask !== undefined) {
      waiter.asksAgain = true;
      return;
    }
    waiter.asksAgain = false;
    void ask(waiter, { clock: this.#clock, firstAsks: this.#firstAsks }).then((end) => {
      this.#asked(waiter, end);
    });
  }

  #asked(waiter: Waiter, end: AskEnd): void {
    waiter.ask = undefined;
    if (end.state !== 'failed' || waiter.isUnsure) waiter.mayStand = true;
    if (waiter.state === 'waiting' && this.#clock.now() >= waiter.deadlineMs) {
      waiter.state = 'settling';
    }
    if (waiter.state === 'ended') this.#leave(waiter);
    else if (waiter.state === 'settling') this.#settleLate(waiter, end);
    else if (end.state === 'granted') this.#granted(waiter, end);
    else if (end.state === 'queued') this.#queued(waiter, end);
    else this.#failed(waiter, end.error);
  }

  #granted(waiter: Waiter, end: AskEnd & { readonly state: 'granted' }): void {
    if (end.grant.validUntilMs <= this.#clock.now()) this.#fail(waiter, leaseIsOver());
    else this.#settle(waiter, end);
  }

  #queued(waiter: Waiter, { ahead, freeAtMs }: AskEnd & { readonly state: 'queued' }): void {
    waiter.failure = undefined;
    this.#keys.get(waiter.request.call.key)?.stands(waiter, ahead);
    if (ahead === 0 && freeAtMs !== undefined) {
      waiter.askAtMs = Math.max(freeAtMs, this.#clock.now() + LEAST_PAUSE_MS);
    }
    if (!waiter.isQueued) {
      waiter.isQueued = true;
      this.#listener.queued(waiter, ahead);
    }
    if (waiter.asksAgain) this.#ask(waiter);
    this.#schedule(waiter);
  }

  #failed(waiter: Waiter, error: unknown): void {
    if (isWaitOver(error)) {
      // The end is less than a millisecond away. What is known of the lock stays as it was.
      this.#schedule(waiter);
      return;
    }
    if (!isPassing(error)) {
      this.#fail(waiter, error);
      return;
    }
    waiter.failure = error;
    const soonestMs = this.#clock.now() + this.#queue.refreshEveryMs;
    waiter.askAtMs = this.#pace.nextRetryAtMs(soonestMs);
    this.#schedule(waiter);
  }

  /** Ends a wait whose last answer came too late. A late grant is withdrawn. */
  #settleLate(waiter: Waiter, end: AskEnd): void {
    if (end.state !== 'failed') this.#settle(waiter, { state: 'over' });
    else if (isWaitOver(end.error)) this.#timeIsOver(waiter);
    else this.#fail(waiter, end.error);
  }

  #schedule(waiter: Waiter): void {
    if (waiter.state !== 'waiting') return;
    this.#deadlines.set(waiter, Math.min(waiter.deadlineMs, waiter.askAtMs));
  }

  #due(waiter: Waiter): void {
    if (waiter.state === 'settling') {
      this.#fail(waiter, waiter.isSent ? noAnswer() : (waiter.tryError ?? notAsked()));
      waiter.ask?.abort();
    } else if (this.#clock.now() >= waiter.deadlineMs) {
      this.#timeIsOver(waiter);
    } else {
      this.#ask(waiter);
      this.#schedule(waiter);
    }
  }

  #timeIsOver(waiter: Waiter): void {
    if (waiter.ask !== undefined) {
      waiter.state = 'settling';
      this.#deadlines.set(waiter, waiter.deadlineMs + LAST_ANSWER_MS);
      return;
    }
    const { failure } = waiter;
    if (failure === undefined) this.#settle(waiter, { state: 'over' });
    else this.#fail(waiter, failure);
  }

  #fail(waiter: Waiter, error: unknown): void {
    this.#settle(waiter, { state: 'failed', error: toFailure(waiter, error) });
  }

  /** Answers a waiter and removes it. Withdraws its ticket unless the lock was granted. */
  #settle(waiter: Waiter, result: WaitResult): void {
    const { call, signal } = waiter.request;
    waiter.state = 'ended';
    signal.removeEventListener('abort', waiter.onAbort);
    this.#deadlines.delete(waiter);
    this.#byAttempt.delete(call.attempt.id);
    const ofKey = this.#keys.get(call.key);
    ofKey?.delete(waiter);
    if (ofKey?.size === 0) this.#keys.delete(call.key);
    if (this.#byAttempt.size === 0) this.#beat.stop();
    this.#listener.settled(waiter, result);
    waiter.settle(result);
    if (result.state === 'granted') this.#listener.done(waiter);
    else if (waiter.ask === undefined) this.#leave(waiter);
  }

  /**
   * Called only after the last ask has ended: an ask that arrived later would leave a ticket that
   * nobody withdraws.
   */
  #leave(waiter: Waiter): void {
    const { call } = waiter.request;
    // The store logs what it could not withdraw before it was closed.
    if (waiter.mayStand) this.#queue.leave(call).catch(() => undefined);
    this.#listener.done(waiter);
  }

  async #refresh(over: AbortSignal): Promise<void> {
    const keys = [...this.#keys.keys()];
    this.#lookedAt(keys, await this.#queue.refresh(keys, over));
  }

  #lookedAt(keys: readonly string[], freeKeys: readonly string[]): void {
    const free = new Set(freeKeys);
    for (const key of keys) {
      if (!free.has(key)) this.#keys.get(key)?.wasHeld();
    }
    for (const key of freeKeys) {
      const waiter = this.#keys.get(key)?.takeCandidate();
      // An ask in progress finds the lock free, too.
      if (waiter !== undefined && waiter.ask === undefined) this.#ask(waiter);
    }
  }
}
