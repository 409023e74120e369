import {
  byKey,
  type FaultWindow,
  type History,
  lossesOf,
  meetsAny,
  type Operation,
} from './history';
import {
  effectEndOf,
  mayHaveTakenTwice,
  isAbout,
  isAnother,
  isOfAnother,
  isSeenAs,
  type Lease,
  longestOf,
  maybeRenewed,
  mayBeFree,
  mayLast,
  releases,
  renewed,
  type Span,
  takes,
  toLease,
} from './lock-model';
import { QueueTimes } from './queue-times';
import { Tally } from './tally';
import { Troubles } from './troubles';
import { toLateGrant, toUntoldRenewal } from './untold';

/** More at once means that the check can't keep up, and says so rather than pass. */
const MOST_CONFIGURATIONS = 50_000;

/** How much of what came before a violation is kept, in milliseconds and in calls that are not about its owner. */
const [AROUND_MS, MOST_AROUND] = [5000, 60];

/** A history that no lock could have produced. */
export interface Violation {
  readonly key: string;
  readonly what: string;
  /** The operation that nothing explains. */
  readonly operation: Operation;
  /** The operations at the time, and everything about the owners and tokens in question. */
  readonly around: readonly Operation[];
  /** The faults at the time. */
  readonly faults: readonly FaultWindow[];
}

/** One way in which things may have gone so far. */
interface Configuration {
  readonly lease: Lease | undefined;
  /** The highest token that was given. */
  readonly lastToken: number;
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
export function findViolations(
  { operations, ...sources }: History,
  tally = new Tally(),
): Violation[] {
  const troubles = new Troubles(sources);
  const { faults } = sources;
  return [...byKey(operations)].flatMap(([key, ofKey]) => {
    for (const operation of ofKey) countRepeatable(operation, { troubles, tally });
    const violation = new KeyCheck(key, ofKey, { faults, troubles }).run();
    return violation === undefined ? [] : [violation];
  });
}

/** Counts the calls of which a send may have been lost, so that another of them may be answered by its traces. */
function countRepeatable(
  operation: Operation,
  { troubles, tally }: { readonly troubles: Troubles; readonly tally: Tally },
): void {
  if (!takes(operation) || operation.isPart === true) return;
  const rule = 'outcomes: calls by which another may have been refused twice';
  tally.count(rule, troubles.meets(toTime(operation)));
}

const toTime = ({ calledAtMs, returnedAtMs, sidecar, key }: Operation) => ({
  fromMs: calledAtMs,
  toMs: returnedAtMs,
  sidecar,
  key,
});

class KeyCheck {
  readonly #key: string;
  readonly #operations: readonly Operation[];
  /** With those that are not part of the history. */
  readonly #all: readonly Operation[];
  readonly #faults: readonly FaultWindow[];
  readonly #losses: readonly FaultWindow[];
  readonly #troubles: Troubles;
  /** Effects that calls may have had beside their answers. */
  readonly #untold: readonly Operation[];
  readonly #queue: QueueTimes;
  /** Those under way whose answer has to be explained. */
  readonly #pending = new Map<number, Operation>();
  /** Those whose outcome nobody knows, while they may have an effect. */
  readonly #unknown = new Set<Operation>();
  /** Those of them that may have been about a lock which nobody knows of, and so changed nothing of what is known. */
  readonly #shadowed = new Set<number>();
  #configurations: Configuration[] = [
    { lease: undefined, lastToken: 0, nowMs: 0, applied: new Set() },
  ];

  constructor(
    key: string,
    operations: readonly Operation[],
    { faults, troubles }: { readonly faults: readonly FaultWindow[]; readonly troubles: Troubles },
  ) {
    this.#key = key;
    this.#troubles = troubles;
    // What was not applied is no part of the history of the lock; its claim is: no key is left.
    this.#operations = operations.filter(
      ({ answer, kind }) => answer !== 'not-applied' && !(answer === 'unknown' && kind === 'get'),
    );
    this.#all = operations;
    this.#faults = faults;
    this.#untold = this.#operations.flatMap((operation) =>
      toLateGrant(operation).concat(this.#isDisturbed(operation) ? toUntoldRenewal(operation) : []),
    );
    this.#losses = lossesOf(faults, key);
    this.#queue = new QueueTimes(operations, (operation) => this.#isDisturbed(operation));
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
    const events = [...this.#operations, ...this.#untold].flatMap((operation): Event[] => [
      { atMs: operation.calledAtMs, type: 'call', operation },
      { atMs: endOf(operation), type: 'return', operation },
    ]);
    for (const { fromMs, toMs } of this.#losses) {
      events.push({ atMs: fromMs, type: 'loss' }, { atMs: toMs, type: 'loss' });
    }
    return events.sort((one, other) => one.atMs - other.atMs);
  }

  /** From here on the lease that stands may be gone. */
  #loseData(): void {
    this.#change((lease) => ({ ...lease, mayVanish: true }));
  }

  #change(toChanged: (lease: Lease) => Lease): void {
    this.#configurations = this.#configurations.map((each) =>
      each.lease === undefined ? each : { ...each, lease: toChanged(each.lease) },
    );
  }

  #begin(operation: Operation): void {
    if (operation.answer !== 'unknown') {
      this.#pending.set(operation.id, operation);
    } else {
      this.#unknown.add(operation);
      this.#change((lease) => afterUnknown(lease, operation));
    }
    this.#noteShadowed();
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
    this.#shadowed.delete(operation.id);
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
    const holder = mayLast(lease, fromMs) ? lease : undefined;
    switch (operation.answer) {
      case 'refused':
        return holder !== undefined || this.#isRefusedByOthers(operation);
      case 'held_by_other':
        return (
          (holder !== undefined && isAnother(operation, holder)) ||
          this.#isShadowed(operation, ({ owner }) => isOfAnother(operation, owner))
        );
      case 'seen':
        return (
          (holder !== undefined && isSeenAs(holder, operation)) ||
          this.#isShadowed(operation, ({ owner }) => owner === operation.seen?.owner)
        );
      case 'not_found':
      case 'free':
        return lease === undefined;
      default:
        return false;
    }
  }

  /** The states that follow if an operation that changes the lock takes effect now, up to `untilMs`. */
  #apply(from: Configuration, operation: Operation, untilMs: number): Configuration | undefined {
    const nowMs = Math.max(from.nowMs, operation.calledAtMs);
    const after = this.#effectOf(operation, from, { nowMs, untilMs });
    return after && { ...after, nowMs, applied: new Set(from.applied).add(operation.id) };
  }

  #effectOf(
    operation: Operation,
    from: Configuration,
    span: Span,
  ): Pick<Configuration, 'lease' | 'lastToken'> | undefined {
    const { lease } = from;
    switch (operation.answer) {
      case 'acquired':
        return mayBeFree(lease, span) ? this.#grant(from, operation, span) : undefined;
      case 'renewed': {
        const prolonged = renewed(lease, operation, span);
        return prolonged === undefined
          ? this.#unlessInShadow(from, operation)
          : { ...from, lease: prolonged };
      }
      case 'unlocked': {
        const isReleased = mayLast(lease, span.nowMs) && isAbout(operation, lease);
        return isReleased ? { ...from, lease: undefined } : this.#unlessInShadow(from, operation);
      }
      case 'not_found':
      case 'free':
        return mayBeFree(lease, span) ? { ...from, lease: undefined } : undefined;
      default:
        return undefined;
    }
  }

  /** A shadow may be gone when the call that it fell on returns. */
  #noteShadowed(): void {
    for (const operation of this.#pending.values()) {
      const { id, answer, kind, owner } = operation;
      if ((answer !== 'renewed' && answer !== 'unlocked') || this.#shadowed.has(id)) continue;
      const isOwn = (other: Operation): boolean => kind === 'forceRelease' || other.owner === owner;
      if (this.#isShadowed(operation, isOwn)) this.#shadowed.add(id);
    }
  }

  #unlessInShadow(from: Configuration, { id }: Operation): Configuration | undefined {
    return this.#shadowed.has(id) ? from : undefined;
  }

  /** Tokens rise: no grant takes effect before one with a lower token. */
  #grant(
    { lastToken, applied }: Configuration,
    operation: Operation,
    span: Span,
  ): Pick<Configuration, 'lease' | 'lastToken'> | undefined {
    const { token = 0, calledAtMs, returnedAtMs } = operation;
    if (token !== 0 && (token <= lastToken || this.#hasLowerThan(token, applied))) return undefined;
    const lease = toLease(operation, span);
    if (lease === undefined) return undefined;
    const isLost = meetsAny(this.#losses, { fromMs: calledAtMs, toMs: returnedAtMs });
    let standing: Lease = { ...lease, mayVanish: isLost };
    for (const other of this.#unknown) standing = afterUnknown(standing, other);
    return { lease: standing, lastToken: Math.max(token, lastToken) };
  }

  #hasLowerThan(token: number, applied: ReadonlySet<number>): boolean {
    for (const { id, answer, token: its = 0 } of this.#pending.values()) {
      if (answer === 'acquired' && its > 0 && its < token && !applied.has(id)) return true;
    }
    return false;
  }

  /** A waiter that comes before, or a call of unknown outcome that may hold the lock. */
  #isRefusedByOthers(operation: Operation): boolean {
    return this.#queue.hasOtherThan(operation) || this.#isShadowed(operation, () => true);
  }

  /**
   * True where another try that is under way may have held the lock for a while: one whose reply
   * was lost, or came after the lease, takes it, loses it by its expiry, and takes it again.
   */
  #isShadowed(operation: Operation, accepts: (other: Operation) => boolean): boolean {
    const shadows = (other: Operation): boolean =>
      takes(other) && other.id !== operation.id && accepts(other);
    for (const other of this.#unknown) if (shadows(other)) return true;
    for (const other of this.#pending.values()) {
      if (shadows(other) && (mayHaveTakenTwice(other) || this.#isDisturbed(other))) return true;
    }
    return false;
  }

  /** True where a reply of the call may have been lost. That it was slow is no reason. */
  #isDisturbed(operation: Operation): boolean {
    return this.#troubles.meets(toTime(operation));
  }

  #violationAt(operation: Operation): Violation {
    const [fromMs, toMs] = [operation.calledAtMs - AROUND_MS, operation.returnedAtMs];
    const near = this.#all.filter(
      ({ calledAtMs, returnedAtMs }) => calledAtMs <= toMs && returnedAtMs >= fromMs,
    );
    const others = near.filter((other) => !isAkin(operation, other)).slice(-MOST_AROUND);
    const around = [...this.#all.filter((other) => isAkin(operation, other)), ...others];
    return {
      key: this.#key,
      what: `no order explains ${operation.kind} -> ${operation.answer}`,
      operation,
      around: around.sort((one, other) => one.calledAtMs - other.calledAtMs),
      faults: this.#faults.filter((fault) => fault.fromMs <= toMs && fault.toMs >= fromMs),
    };
  }
}

/** True for calls about the same owner or token. */
function isAkin(operation: Operation, other: Operation): boolean {
  const namesOf = ({ owner, token, named, seen }: Operation) => [
    owner,
    seen?.owner,
    ...[token, named, seen?.token].map((number) => (number === 0 ? undefined : number)),
  ];
  const names = namesOf(operation);
  return namesOf(other).some((name) => name !== undefined && names.includes(name));
}

/** The leases that a call with an unknown outcome may lead to. */
function afterUnknown(lease: Lease, operation: Operation): Lease {
  if (!isAbout(operation, lease)) return lease;
  if (releases(operation)) return { ...lease, mayVanish: true };
  return operation.kind === 'renew' ? maybeRenewed(lease, operation) : lease;
}

/** Until when an operation may have an effect. */
function endOf(operation: Operation): number {
  if (operation.answer !== 'unknown') return operation.returnedAtMs;
  return effectEndOf(operation) + (takes(operation) ? longestOf(operation) : 0);
}

function nameOf({ lease, lastToken, nowMs, applied }: Configuration): string {
  const { owner, token, endsFromMs, endsByMs, mayVanish } = lease ?? {};
  const held =
    lease === undefined ? 'free' : [owner, token, endsFromMs, endsByMs, mayVanish].join();
  return `${held};${lastToken};${nowMs};${[...applied].sort((a, b) => a - b).join()}`;
}
