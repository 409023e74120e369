import { Cancellation, type CancelSignal } from '../../base/cancellation';
import { processClock } from '../../base/clock';
import type { Attempt } from '../../lock/attempt';
import type { AskCall, AskResult, LockQueue, QueueListener } from '../../lock/store-abilities';
import type { Attempts } from '../attempts/attempts';
import type { TimeLimits } from '../attempts/command';
import { prepareAsk } from '../attempts/prepare-ask';
import { Ask } from './ask';
import { type CallContext, toUndo } from './etcd-calls';
import type { EtcdLink } from './etcd-link';
import { dropLease, grantLease } from './etcd-leases';
import { findFree, findHead } from './queue-looks';
import { QueueWatch } from './queue-watch';
import { Tickets } from './tickets';

/** How long tickets live without a refresh, in milliseconds. */
const TICKET_LIFE_MS = 3000;

/** The options of {@link EtcdQueue}. */
export interface EtcdQueueOptions {
  readonly context: CallContext;
  readonly attempts: Attempts<EtcdLink>;
  readonly limits: TimeLimits;
  /** The present link. Undefined while etcd is away. */
  readonly linkOf: () => EtcdLink | undefined;
}

const silentListener: QueueListener = {
  woken: () => undefined,
  missed: () => undefined,
  lapsed: () => undefined,
};

/**
 * The queues of one etcd, for one store of one sidecar. All its tickets hang on one lease, the
 * session, which lives while it is refreshed. docs/decisions/0018 has the rules.
 */
export class EtcdQueue implements LockQueue {
  readonly refreshEveryMs = 500;
  readonly #options: EtcdQueueOptions;
  readonly #watch: QueueWatch;
  readonly #tickets: Tickets;
  #listener = silentListener;
  /** The lease of the tickets. */
  #session: string | undefined;
  #opening: Promise<string> | undefined;
  /** The locks that are looked at now; true if something has changed since the look began. */
  readonly #looks = new Map<string, boolean>();

  constructor(options: EtcdQueueOptions) {
    this.#options = options;
    const { context, linkOf } = options;
    this.#tickets = new Tickets({
      onUnused: (name) => {
        this.#watch.remove(name);
      },
      onOver: (call) => {
        void this.#dropTicket(call.attempt);
      },
    });
    this.#watch = new QueueWatch({
      keys: context.keys,
      linkOf,
      onChange: (name) => void this.#lookAgain(name),
      onOpen: () => {
        this.#listener.missed();
      },
    });
  }

  listen(listener: QueueListener): void {
    this.#listener = listener;
  }

  async ask(call: AskCall, signal: CancelSignal): Promise<AskResult> {
    for (;;) {
      const { session, limits } = await prepareAsk(call, {
        ...this.#options,
        clock: processClock,
        signal,
        openSession: () => this.#session ?? this.#openSession(call),
      });
      // Before the ticket is put, so that nothing is missed that follows.
      this.#tickets.add(call);
      this.#watch.add(call.key);
      const command = new Ask(this.#options.context, { call, session });
      const answer: AskResult | 'lapsed' = await this.#options.attempts.run(
        command,
        limits,
        signal,
      );
      if (answer === 'lapsed') {
        this.#lapse(session);
        continue;
      }
      if (answer.state === 'granted') this.#tickets.remove(call);
      else if (answer.ahead === 0) this.#tickets.setHead(call.key, call.attempt.id);
      return answer;
    }
  }

  async refresh(keys: readonly string[], signal: CancelSignal): Promise<readonly string[]> {
    if (keys.length === 0) return [];
    const session = this.#session;
    if (session === undefined) {
      // No ask has succeeded since the last session ended.
      this.#listener.lapsed();
      return [];
    }
    this.#watch.open();
    const { context, attempts, limits } = this.#options;
    const way = { key: '', timeoutMs: limits.tryTimeoutMs, signal };
    const [free, isAlive] = await attempts.ask(way, (link) =>
      Promise.all([findFree(link, context.keys, keys), keepAlive(link, session)]),
    );
    if (!isAlive) this.#lapse(session);
    for (const attempt of this.#tickets.overdue) void this.#dropTicket(attempt);
    return free;
  }

  leave(call: AskCall): Promise<void> {
    this.#tickets.remove(call);
    return this.#options.attempts.withdraw(toUndo(this.#options.context, call));
  }

  /** Writes to a new link before any call does. */
  onLink(): void {
    this.#watch.open();
  }

  /** Ends all tickets and watches. */
  close(): void {
    this.#watch.close();
    this.#tickets.close();
    const link = this.#options.linkOf();
    if (link !== undefined && this.#session !== undefined) dropLease(link, this.#session);
  }

  /** Concurrent callers share one opening, which belongs to none of them. */
  #openSession({ key }: AskCall): Promise<string> {
    const { attempts, limits } = this.#options;
    const way = { key, timeoutMs: limits.tryTimeoutMs, signal: new Cancellation() };
    this.#opening ??= attempts
      .ask(way, (link) => grantLease(link, TICKET_LIFE_MS))
      .then(({ id }) => {
        this.#session = id;
        return id;
      })
      .finally(() => {
        this.#opening = undefined;
      });
    return this.#opening;
  }

  /** Discards a session and reports, once, that its tickets have been dropped. */
  #lapse(session: string): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    this.#listener.lapsed();
  }

  /** One look at a lock at a time: the answers to two could come in the wrong order. */
  async #lookAgain(name: string): Promise<void> {
    const isLooking = this.#looks.has(name);
    this.#looks.set(name, isLooking);
    if (isLooking) return;
    do {
      this.#looks.set(name, false);
      await this.#lookAtHead(name);
    } while (this.#looks.get(name) === true);
    this.#looks.delete(name);
  }

  /**
   * Wakes the head of a queue if it is ours, and either the lock is free or the head before it has
   * left. One that was granted the lock has left, too, but there is nothing to ask for then.
   */
  async #lookAtHead(name: string): Promise<void> {
    const link = this.#options.linkOf();
    if (link === undefined) return;
    const found = await findHead(link, this.#options.context.keys, name).catch(() => undefined);
    if (found === undefined) return;
    const { attemptId, holder } = found;
    // Nobody waits, or our first ticket is on its way: its answer will say who leads.
    if (attemptId === '') return;
    const before = this.#tickets.setHead(name, attemptId);
    if (!this.#tickets.has(name, attemptId)) return;
    const hasLed = before === attemptId || before === holder;
    if (holder === undefined || !hasLed) this.#listener.woken(attemptId);
  }

  /** Deletes the ticket of an attempt whose time is over, so that others pass. */
  async #dropTicket(attempt: Attempt): Promise<void> {
    const { context, linkOf } = this.#options;
    const { ticket } = context.records.of(attempt);
    const link = linkOf();
    if (ticket === undefined) this.#tickets.dropped(attempt);
    if (ticket === undefined || link === undefined) return;
    const leave = { requestDeleteRange: { key: ticket } };
    const dropping = link.call(link.api.txn, { compare: [], success: [leave] });
    await dropping.then(
      () => {
        this.#tickets.dropped(attempt);
      },
      () => undefined,
    );
  }
}

/** False if there is no such lease. */
async function keepAlive(link: EtcdLink, session: string): Promise<boolean> {
  const { TTL } = await link.callOnStream(link.api.keepLeaseAlive, { ID: session });
  return Number(TTL) > 0;
}
