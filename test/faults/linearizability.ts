import { type FaultWindow, type History, meetsAny, type Operation } from './history';

/** How far an expiry may be off: Redis counts whole milliseconds. */
const CLOCK_SLACK_MS = 5;

/** How long after a fault its traces show: a repeated send, a connection that is replaced. */
const AFTERMATH_MS = 1000;

/** How long after its caller has hung up a try may still take effect: the longest single send. */
const LATE_EFFECT_MS = 3500;

/** More at once means that the check can't keep up, and says so rather than pass. */
const MOST_CONFIGURATIONS = 50_000;

/** A history that no lock could have produced. */
export interface Violation {
  readonly key: string;
  readonly what: string;
  /** The operation that nothing explains. */
  readonly operation: Operation;
  /** What went on at the time. */
  readonly around: readonly Operation[];
}

/** What a lock may be at a moment. */
interface Lease {
  readonly owner: string;
  /** It may be over from the first on, and is over from the second on. */
  readonly endsFromMs: number;
  readonly endsByMs: number;
  /** True where it may vanish at any moment: nobody was told of it, or the data was lost. */
  readonly mayVanish: boolean;
}

/** One way in which things may have gone so far. */
interface Configuration {
  readonly lease: Lease | undefined;
  /** No later operation took effect before this moment. */
  readonly nowMs: number;
  /** Those still under way that have taken effect. */
  readonly applied: ReadonlySet<number>;
}

interface Event {
  readonly atMs: number;
  readonly type: 'call' | 'return' | 'loss';
  readonly operation?: Operation;
}

/**
 * Checks that a history is one of a lock with leases: that every call can be given a moment
 * between its call and its return at which it took effect, so that all answers are right.
 *
 * Just-in-time linearization (Wing and Gong's search in the form of Lowe, "Testing for
 * linearizability", 2017): events in the order of time, a set of ways in which things may have
 * gone, and at each return only those in which the call has taken effect with that answer.
 */
export function findViolations(history: History): Violation[] {
  const byKey = new Map<string, Operation[]>();
  for (const operation of history.operations) {
    const operations = byKey.get(operation.key);
    if (operations === undefined) byKey.set(operation.key, [operation]);
    else operations.push(operation);
  }
  return [...byKey].flatMap(([key, operations]) => {
    const violation = new KeyCheck(key, operations, history.faults).run();
    return violation === undefined ? [] : [violation];
  });
}

class KeyCheck {
  readonly #key: string;
  readonly #operations: readonly Operation[];
  readonly #faults: readonly FaultWindow[];
  readonly #losses: readonly FaultWindow[];
  /** Those under way whose answer has to be explained. */
  readonly #pending = new Map<number, Operation>();
  /** Those whose outcome nobody knows, while they may have an effect. */
  readonly #unknown = new Set<Operation>();
  #configurations: Configuration[] = [{ lease: undefined, nowMs: 0, applied: new Set() }];

  constructor(key: string, operations: readonly Operation[], faults: readonly FaultWindow[]) {
    this.#key = key;
    // What was not applied is no part of the history of the lock; its claim is: no key is left.
    this.#operations = operations.filter(({ answer }) => answer !== 'not-applied');
    this.#faults = faults;
    this.#losses = faults.filter(({ losesData }) => losesData);
  }

  run(): Violation | undefined {
    for (const event of this.#events()) {
      const { operation } = event;
      if (event.type === 'loss') {
        this.#loseData();
      } else if (operation !== undefined) {
        if (event.type === 'call') this.#begin(operation);
        else if (!this.#end(operation, event.atMs)) return this.#violationAt(operation);
      }
      if (this.#configurations.length > MOST_CONFIGURATIONS) {
        return { ...this.#violationAt(operation!), what: 'too many ways to check' };
      }
    }
    return undefined;
  }

  #events(): Event[] {
    const events = this.#operations.flatMap((operation): Event[] => [
      { atMs: operation.calledAtMs, type: 'call', operation },
      { atMs: endOf(operation), type: 'return', operation },
    ]);
    for (const fault of this.#faults) {
      if (!fault.losesData) continue;
      events.push({ atMs: fault.fromMs, type: 'loss' }, { atMs: fault.toMs, type: 'loss' });
    }
    return events.sort((one, other) => one.atMs - other.atMs);
  }

  /** From here on the lease that stands may be gone. */
  #loseData(): void {
    this.#letVanish(() => true);
  }

  #letVanish(concerns: (lease: Lease) => boolean): void {
    this.#configurations = this.#configurations.map((each) =>
      each.lease === undefined || !concerns(each.lease)
        ? each
        : { ...each, lease: { ...each.lease, mayVanish: true } },
    );
  }

  #begin(operation: Operation): void {
    if (operation.answer !== 'unknown') {
      this.#pending.set(operation.id, operation);
    } else {
      this.#unknown.add(operation);
      if (operation.kind === 'unlock') this.#letVanish(({ owner }) => owner === operation.owner);
    }
    this.#configurations = this.#configurations.map((each) => this.#settle(each));
  }

  /** Keeps the ways in which the operation has taken effect; false where there is none. */
  #end(operation: Operation, atMs: number): boolean {
    if (this.#unknown.delete(operation)) return true;
    const kept = new Map<string, Configuration>();
    const seen = new Set<string>();
    const todo = this.#configurations.map((each) => this.#settle(each));
    for (let each = todo.pop(); each !== undefined; each = todo.pop()) {
      const name = nameOf(each);
      if (seen.has(name)) continue;
      seen.add(name);
      if (each.applied.has(operation.id)) {
        const applied = new Set(each.applied);
        applied.delete(operation.id);
        const rest = { ...each, applied };
        kept.set(nameOf(rest), rest);
        continue;
      }
      for (const next of this.#pending.values()) {
        if (each.applied.has(next.id)) continue;
        const after = this.#apply(each, next, atMs);
        if (after !== undefined) todo.push(this.#settle(after));
      }
    }
    this.#pending.delete(operation.id);
    this.#configurations = [...kept.values()];
    return kept.size > 0;
  }

  /** Lets everything take effect that changes nothing and would be right now: sooner is never worse. */
  #settle(from: Configuration): Configuration {
    let applied: Set<number> | undefined;
    for (const operation of this.#pending.values()) {
      if (from.applied.has(operation.id) || !this.#isRightAsItIs(from, operation)) continue;
      applied ??= new Set(from.applied);
      applied.add(operation.id);
    }
    return applied === undefined ? from : { ...from, applied };
  }

  #isRightAsItIs({ lease, nowMs }: Configuration, operation: Operation): boolean {
    const fromMs = Math.max(nowMs, operation.calledAtMs);
    const holder =
      lease !== undefined && lease.endsByMs >= fromMs - CLOCK_SLACK_MS ? lease : undefined;
    switch (operation.answer) {
      case 'refused':
        return holder !== undefined || this.#isShadowed(operation, () => true);
      case 'held_by_other':
        return (
          (holder !== undefined && holder.owner !== operation.owner) ||
          this.#isShadowed(operation, (owner) => owner !== operation.owner)
        );
      case 'not_found':
        return lease === undefined;
      default:
        return false;
    }
  }

  /** What follows where an operation that changes the lock takes effect now, up to `untilMs`. */
  #apply(from: Configuration, operation: Operation, untilMs: number): Configuration | undefined {
    const nowMs = Math.max(from.nowMs, operation.calledAtMs);
    const applied = new Set(from.applied).add(operation.id);
    const { lease } = from;
    const isFree =
      lease === undefined || lease.mayVanish || lease.endsFromMs <= untilMs + CLOCK_SLACK_MS;
    switch (operation.answer) {
      case 'acquired':
        return isFree
          ? { lease: this.#grant(operation, nowMs, untilMs), nowMs, applied }
          : undefined;
      case 'unlocked':
        if (lease?.owner === operation.owner && lease.endsByMs >= nowMs - CLOCK_SLACK_MS) {
          return { lease: undefined, nowMs, applied };
        }
        return this.#isShadowed(operation, (owner) => owner === operation.owner)
          ? { lease, nowMs, applied }
          : undefined;
      case 'not_found':
        return isFree ? { lease: undefined, nowMs, applied } : undefined;
      default:
        return undefined;
    }
  }

  #grant(operation: Operation, nowMs: number, untilMs: number): Lease {
    const lost = meetsAny(this.#losses, {
      fromMs: operation.calledAtMs,
      toMs: operation.returnedAtMs,
    });
    return {
      owner: operation.owner,
      endsFromMs: nowMs + operation.ttlMs,
      endsByMs: untilMs + operation.ttlMs,
      mayVanish: lost || this.#isBeingReleased(operation.owner),
    };
  }

  #isBeingReleased(owner: string): boolean {
    return [...this.#unknown].some((other) => other.kind === 'unlock' && other.owner === owner);
  }

  /**
   * True where another try that is under way in a time of faults may have held the lock for a
   * while: one whose reply was lost takes it, loses it by its expiry, and takes it again.
   */
  #isShadowed(operation: Operation, accepts: (owner: string) => boolean): boolean {
    const shadows = (other: Operation): boolean =>
      other.kind === 'tryLock' && other.id !== operation.id && accepts(other.owner);
    for (const other of this.#unknown) if (shadows(other)) return true;
    for (const other of this.#pending.values()) {
      if (shadows(other) && this.#isDisturbed(other)) return true;
    }
    return false;
  }

  #isDisturbed({ calledAtMs, returnedAtMs }: Operation): boolean {
    return meetsAny(this.#faults, { fromMs: calledAtMs - AFTERMATH_MS, toMs: returnedAtMs });
  }

  #violationAt(operation: Operation): Violation {
    const around = this.#operations.filter(
      ({ calledAtMs, returnedAtMs }) =>
        calledAtMs <= operation.returnedAtMs && returnedAtMs >= operation.calledAtMs - 3000,
    );
    const what = `no order explains ${operation.kind} -> ${operation.answer}`;
    return { key: this.#key, what, operation, around: around.slice(-40) };
  }
}

/** Until when an operation may have an effect. */
function endOf({ kind, answer, returnedAtMs, ttlMs }: Operation): number {
  if (answer !== 'unknown') return returnedAtMs;
  return returnedAtMs + LATE_EFFECT_MS + (kind === 'tryLock' ? ttlMs : 0);
}

function nameOf({ lease, nowMs, applied }: Configuration): string {
  const held =
    lease === undefined
      ? 'free'
      : [lease.owner, lease.endsFromMs, lease.endsByMs, lease.mayVanish].join();
  return `${held};${nowMs};${[...applied].sort((a, b) => a - b).join()}`;
}
