import { createClient } from 'redis';

import { isSideKey, toCompanionKey } from '../../src/stores/redis/side-keys';
import { CLIENT_LATE } from './client-lag';
import { type FaultWindow, firstIndex, meetsAny, type Operation } from './history';
import { takes } from './lock-model';
import type { Account } from './rule-breaks';
import { Tally } from './tally';
import { SHARED_OWNER } from './workload';

/** How far the clocks of two processes and the hand-over of an answer may be apart. */
const SLACK_MS = 100;

/** How long after nothing keeps it any more a withdrawn lock may stay: the stated allowance. */
const WITHDRAWN_WITHIN_MS = 1000;

const WITHDRAWALS = 'withdrawals: calls of unknown outcome that may have taken a lock';

const CROSSINGS = 'withdrawals: locks that were granted as their client left, and kept';

/** How long before or after a grant its client may leave without the sidecar knowing it in time, on a busy machine. */
const CROSSING_MS = 100;

/** The changes of a key, as Redis ran them. */
interface ServerEvent {
  readonly atMs: number;
  readonly type: 'grant' | 'delete';
  readonly owner: string;
  readonly endsAtMs: number;
}

/** A contradiction between what Redis did and what clients were told. */
export interface Contradiction {
  readonly what: string;
  readonly operation: Operation;
}

/**
 * The server's own view, by MONITOR: which owner a key was granted to and when it was deleted.
 * A grant is a SET of the key that the SET of its companion follows in the same script.
 */
export class ServerView {
  readonly #port: number;
  readonly #events = new Map<string, ServerEvent[]>();
  /** Times in which nobody looked: Redis was down, or just up again. */
  readonly #gaps: { fromMs: number; toMs: number }[] = [];
  #stop = (): void => undefined;
  #lastSet: { key: string; owner: string; endsAtMs: number } | undefined;
  readonly #wallMs = Date.now() - performance.now();

  constructor(port: number) {
    this.#port = port;
  }

  /** Looks until the connection ends, and again as soon as there is another. */
  async start(): Promise<void> {
    const client = createClient({
      socket: { host: '127.0.0.1', port: this.#port, reconnectStrategy: 5 },
      RESP: 2,
    });
    let lostAtMs: number | undefined;
    client.on('error', () => {
      lostAtMs ??= performance.now() - SLACK_MS;
    });
    client.on('ready', () => {
      if (lostAtMs === undefined) return;
      this.#gaps.push({ fromMs: lostAtMs, toMs: performance.now() + SLACK_MS });
      lostAtMs = undefined;
    });
    this.#stop = () => {
      client.destroy();
    };
    await client.connect();
    await client.monitor((line) => {
      this.#note(line);
    });
  }

  /** Stops looking. */
  stop(): void {
    this.#stop();
  }

  /** How many grants and deletions were seen. */
  get size(): number {
    return [...this.#events.values()].reduce((sum, events) => sum + events.length, 0);
  }

  /** Answers that what Redis did contradicts; owners used by several clients tell nothing here. */
  findContradictions(
    operations: readonly Operation[],
    faults: readonly FaultWindow[],
    tally = new Tally(),
  ): Contradiction[] {
    const unknown = new Set(
      operations.filter(({ answer }) => answer === 'unknown').map(({ owner }) => owner),
    );
    const losses = faults.filter(({ losesData }) => losesData);
    const found: Contradiction[] = [];
    for (const operation of operations) {
      if (operation.by !== 'holdfast' || operation.owner === SHARED_OWNER) continue;
      if (operation.isPart === true) continue;
      const isUnsure = unknown.has(operation.owner) || this.#isUnseen(operation, losses);
      if (tally.count("Redis's view: answers beside what MONITOR showed", isUnsure)) continue;
      const what = this.#contradictionOf(operation, faults);
      if (what !== undefined) found.push({ what, operation });
    }
    return found;
  }

  /**
   * Locks of attempts that were given up, and that Redis still held when their withdrawal was due: within a second, as
   * soon as nothing kept the sidecar from Redis any more. A sidecar that was ended withdraws nothing.
   */
  findLateWithdrawals(account: Account): Contradiction[] {
    const { operations, faults, troubles, tally } = account;
    const nameOf = ({ key, owner }: Operation): string => `${key} ${owner}`;
    const taken = new Set(operations.filter(({ answer }) => answer === 'acquired').map(nameOf));
    const ends = faults.filter(({ kind }) => /^sidecar (?:stopped|killed)$/.test(kind));
    return operations.flatMap((operation): Contradiction[] => {
      const { key, answer, by, owner, returnedAtMs: fromMs, sidecar } = operation;
      if (answer !== 'unknown' || by !== 'holdfast' || !takes(operation)) return [];
      if (owner === SHARED_OWNER || taken.has(nameOf(operation))) return [];
      const dueMs = troubles.dueAtMs(fromMs, WITHDRAWN_WITHIN_MS, { sidecar }) + SLACK_MS;
      const isEnded = ends.some(
        (end) => end.sidecar === sidecar && end.fromMs <= dueMs && end.toMs >= operation.calledAtMs,
      );
      const isUnsure = isEnded || meetsAny(this.#gaps, { fromMs, toMs: dueMs });
      if (tally.count(WITHDRAWALS, isUnsure)) return [];
      const heldMs = this.#heldUntil(operation, faults) - dueMs;
      if (tally.count(CROSSINGS, heldMs > 0 && this.#crossed(operation))) return [];
      if (heldMs <= 0) return [];
      const what = `${key}: a withdrawn attempt held its lock for ${heldMs.toFixed(0)} ms`;
      return [{ what, operation }];
    });
  }

  /**
   * True where the lock was granted when its client left: the answer may have been handed to the socket before the sidecar
   * could know. Then it is answered, and nothing is withdrawn.
   */
  #crossed({ key, owner, returnedAtMs }: Operation): boolean {
    return (this.#events.get(key) ?? []).some(
      ({ type, owner: its, atMs }) =>
        type === 'grant' && its === owner && Math.abs(returnedAtMs - atMs) <= CROSSING_MS,
    );
  }

  /** Until when an owner has had a lock at the latest. */
  #heldUntil({ key, owner }: Operation, faults: readonly FaultWindow[]): number {
    const events = this.#events.get(key) ?? [];
    return events.reduce((untilMs, grant, index) => {
      if (grant.type !== 'grant' || grant.owner !== owner) return untilMs;
      const next = events[index + 1]?.atMs ?? Infinity;
      const loss = faults.find(({ losesData, toMs }) => losesData && toMs >= grant.atMs);
      const endMs = Math.min(grant.endsAtMs, next, loss?.fromMs ?? Infinity);
      return Math.max(untilMs, endMs);
    }, -Infinity);
  }

  #isUnseen(operation: Operation, losses: readonly FaultWindow[]): boolean {
    // A lease that began before nobody looked may end after it.
    const time = { fromMs: operation.calledAtMs - 2500, toMs: operation.returnedAtMs };
    return meetsAny(this.#gaps, time) || meetsAny(losses, time);
  }

  #contradictionOf(operation: Operation, faults: readonly FaultWindow[]): string | undefined {
    const events = this.#events.get(operation.key) ?? [];
    const [fromMs, toMs] = [operation.calledAtMs - SLACK_MS, operation.returnedAtMs + SLACK_MS];
    const during = events.slice(
      firstIndex(events, ({ atMs }) => atMs >= fromMs),
      firstIndex(events, ({ atMs }) => atMs > toMs),
    );
    switch (operation.answer) {
      case 'acquired':
        return contradictionOfGrant(operation, during, faults);
      case 'unlocked':
        return during.some(({ type }) => type === 'delete')
          ? undefined
          : 'unlocked, but Redis deleted nothing';
      case 'refused':
      case 'not-applied':
        return contradictionOfRefusal(operation, events, during);
      default:
        return undefined;
    }
  }

  #note(line: string): void {
    const [, seconds = ''] = /^(\d+\.\d+) \[/.exec(line) ?? [];
    const words = [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word]) => word ?? '');
    const [command = '', key = '', value = ''] = words;
    const atMs = Number(seconds) * 1000 - this.#wallMs;
    if (command.toLowerCase() === 'set') {
      const at = words.findIndex((word) => word.toLowerCase() === 'pxat');
      const endsAtMs = Number(words[at + 1]) - this.#wallMs;
      const set = this.#lastSet;
      if (set !== undefined && isCompanionOf(set.key, key)) {
        this.#add(set.key, { atMs, type: 'grant', owner: set.owner, endsAtMs });
        this.#lastSet = undefined;
      } else if (!isSideKey(key) && !key.includes('||done||')) {
        this.#lastSet = { key, owner: value, endsAtMs };
      }
    } else if (command.toLowerCase() === 'del') {
      this.#add(key, { atMs, type: 'delete', owner: '', endsAtMs: atMs });
    }
  }

  #add(key: string, event: ServerEvent): void {
    const events = this.#events.get(key);
    if (events === undefined) this.#events.set(key, [event]);
    else events.push(event);
  }
}

/** The companion of a lock by its present name, or by that of the first version. */
function isCompanionOf(lockKey: string, key: string): boolean {
  return key === toCompanionKey(lockKey) || key === `${lockKey}||attempt`;
}

function contradictionOfGrant(
  operation: Operation,
  during: readonly ServerEvent[],
  faults: readonly FaultWindow[],
): string | undefined {
  const { owner, returnedAtMs, validUntilMs = returnedAtMs } = operation;
  const grant = during.findLast((event) => event.type === 'grant' && event.owner === owner);
  if (grant === undefined) return 'acquired, but Redis granted nothing';
  // A sidecar that stands still after its last look at the clock can't know; the native API tells the end for that.
  if (grant.endsAtMs >= validUntilMs - SLACK_MS || stoodStill(operation, faults)) return undefined;
  return 'acquired a lease that was over';
}

function stoodStill(
  { calledAtMs, returnedAtMs, sidecar }: Operation,
  faults: readonly FaultWindow[],
): boolean {
  return faults.some(
    ({ kind, fromMs, toMs, sidecar: hit }) =>
      (kind === CLIENT_LATE || (kind === 'sidecar paused' && hit === sidecar)) &&
      fromMs <= returnedAtMs + SLACK_MS &&
      toMs >= calledAtMs,
  );
}

function contradictionOfRefusal(
  { kind, owner, answer, calledAtMs, returnedAtMs }: Operation,
  events: readonly ServerEvent[],
  during: readonly ServerEvent[],
): string | undefined {
  if (kind !== 'tryLock') return undefined;
  const last = during.findLast((event) => event.owner === owner || event.type === 'delete');
  // One whose reply was lost may have ended by itself before the call was answered.
  if (last?.type !== 'grant' || last.endsAtMs < returnedAtMs + SLACK_MS) return undefined;
  // An owner's second try is refused while its first holds the lock.
  const before = events.some((event) => event.owner === owner && event.atMs < calledAtMs);
  return before ? undefined : `${answer}, but Redis granted the lock to it`;
}
