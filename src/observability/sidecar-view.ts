import type { RecentKind, SidecarOverview, StoreOverview } from '../api/overview';
import type {
  ForceReleaseReport,
  HoldReport,
  LockCallReport,
  LockObserver,
  LockOutcome,
} from '../lock/lock-observer';
import type { StoreObserver } from '../lock/store-observer';
import { MinuteCounts } from './minute-counts';
import { type LockEvent, RecentEvents } from './recent-events';
import { StoreStates } from './store-states';

/** The dependencies of a {@link SidecarView}. */
export interface SidecarViewOptions {
  readonly appId: string;
  readonly version: string;
  /** Differs in each process. */
  readonly instance: string;
  /** The stores that calls find, with the types of their components, in loading order. */
  readonly loaded: () => readonly { readonly name: string; readonly type: string }[];
  /** A monotonic clock in milliseconds. */
  readonly now?: () => number;
}

/** The counts of a store's calls. */
interface Activity {
  readonly granted: MinuteCounts;
  readonly refused: MinuteCounts;
  waiting: number;
  holding: number;
}

/**
 * How the end of a call is kept. A hold is kept by its own events. Calls that only read are not kept:
 * most of them come from the page itself.
 */
const KINDS: Readonly<Partial<Record<LockOutcome, RecentKind>>> = {
  acquired: 'granted',
  refused: 'refused',
  error: 'failed',
  unknown: 'failed',
  overloaded: 'failed',
};

/**
 * The sidecar's data for the page: the state of its stores, how many calls they
 * granted and refused, and the latest events with their resources and owners. It costs a call a few
 * writes to memory that exists already.
 */
export class SidecarView implements LockObserver {
  readonly #options: SidecarViewOptions;
  readonly #now: () => number;
  readonly #beganAtMs: number;
  readonly #recent = new RecentEvents();
  readonly #states: StoreStates;
  readonly #activities = new Map<string, Activity>();

  constructor(options: SidecarViewOptions) {
    const { now = () => performance.now() } = options;
    this.#options = options;
    this.#now = now;
    this.#beganAtMs = now();
    this.#states = new StoreStates({
      now,
      onGone: (store) => this.#activities.delete(store),
    });
  }

  /** Observes a store's connection. */
  storeObserver(store: string): Pick<StoreObserver, 'up' | 'closed'> {
    return this.#states.observerOf(store);
  }

  ended(report: LockCallReport): void {
    if (!report.isKnownStore) return;
    const { operation, outcome } = report;
    if (operation === 'renew' && (outcome === 'not_found' || outcome === 'held_by_other')) {
      this.#keep('lost', report, outcome);
      return;
    }
    const kind = KINDS[outcome];
    if (kind === undefined || operation === 'get' || operation === 'list') return;
    const nowMs = this.#keep(kind, report, report.error?.errorCode);
    if (kind === 'granted' || kind === 'refused') {
      this.#activityOf(report.storeName)[kind].add(nowMs);
    }
  }

  waitBegan(store: string): void {
    this.#activityOf(store).waiting += 1;
  }

  waitEnded({ storeName }: { readonly storeName: string }): void {
    lower(this.#activities.get(storeName), 'waiting');
  }

  holdBegan(store: string, hold: Omit<LockEvent, 'storeName'>): void {
    const nowMs = this.#keep('granted', { storeName: store, ...hold });
    const activity = this.#activityOf(store);
    activity.granted.add(nowMs);
    activity.holding += 1;
  }

  holdEnded(report: HoldReport): void {
    const { storeName, outcome, lostBy = outcome } = report;
    lower(this.#activities.get(storeName), 'holding');
    if (outcome !== 'released') this.#keep('lost', report, lostBy.toLowerCase());
  }

  forceReleased(report: ForceReleaseReport): void {
    this.#keep('freed', { ...report, lockOwner: '' }, report.reason);
  }

  /** The overview at this moment. */
  view(): SidecarOverview {
    const nowMs = this.#now();
    const { appId, version, instance } = this.#options;
    return {
      appId,
      version,
      instance,
      uptimeMs: Math.round(nowMs - this.#beganAtMs),
      stores: this.#stores(nowMs),
      recent: this.#recent.view(nowMs),
    };
  }

  #stores(nowMs: number): readonly StoreOverview[] {
    const loaded = this.#options.loaded();
    const names = new Set(loaded.map(({ name }) => name));
    const others = this.#states.names.filter((name) => !names.has(name));
    return [
      ...loaded.map((store) => this.#describe(store, nowMs)),
      ...others.map((name) => this.#describe({ name, type: '' }, nowMs, 'loading')),
    ];
  }

  #describe(
    store: { readonly name: string; readonly type: string },
    nowMs: number,
    loading?: 'loading',
  ): StoreOverview {
    const { isUp, sinceMs } = this.#states.of(store.name);
    const { granted, refused, waiting, holding } = this.#activityOf(store.name);
    return {
      ...store,
      state: loading ?? (isUp ? 'up' : 'down'),
      sinceMs: Math.round(nowMs - sinceMs),
      waiting,
      holding,
      granted: granted.perMinute(nowMs),
      refused: refused.perMinute(nowMs),
    };
  }

  #activityOf(store: string): Activity {
    const known = this.#activities.get(store);
    if (known !== undefined) return known;
    const created = {
      granted: new MinuteCounts(),
      refused: new MinuteCounts(),
      waiting: 0,
      holding: 0,
    };
    this.#activities.set(store, created);
    return created;
  }

  /** Keeps an event and returns its time. */
  #keep(kind: RecentKind, event: LockEvent, reason = ''): number {
    const nowMs = this.#now();
    this.#recent.add(kind, nowMs, { event, reason });
    return nowMs;
  }
}

/** Waits and holds may end after their store was removed, and another one with its name added. */
function lower(activity: Activity | undefined, name: 'waiting' | 'holding'): void {
  if (activity === undefined) return;
  activity[name] = Math.max(0, activity[name] - 1);
}
