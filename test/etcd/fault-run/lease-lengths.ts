import type { FaultWindow, Operation } from '../../faults/history';
import { LATE_EFFECT_MS, takes } from '../../faults/lock-model';
import type { Observed } from '../../faults/observe';
import { counterTimes } from '../../faults/token-times';

/** etcd counts leases in whole seconds: what it says is left may be short by so much. */
const SECOND_MS = 1000;

/** etcd looks twice a second for leases that are over, and ends at most 1000 of them a second. */
const LOOKS_EVERY_MS = 500;

/** By how much a busy machine is late with it. */
const LATE_MS = 1000;

/** What the client of `lock.etcd` is promised, for the rules: leases may last longer than asked, and tokens are revisions. */
export function asOnEtcd(seen: Observed): Observed {
  const elections = seen.faults.filter(({ kind }) => kind === 'election');
  const operations = seen.account.operations.map((each) => asLasting(each, elections));
  return {
    ...seen,
    account: { ...seen.account, operations, drawnAt: counterTimes(operations) },
    history: { ...seen.history, operations },
  };
}

/** A call with the longest lease that it may have led to. */
export function asLasting(operation: Operation, elections: readonly FaultWindow[]): Operation {
  const { ttlMs, answer, returnedAtMs, mayLastUntilMs, seen } = operation;
  // What is left is rounded down: of a lease whose end is known, up to a second more.
  if (seen?.leftMs !== undefined) {
    return { ...operation, seen: { ...seen, leftMs: seen.leftMs + SECOND_MS } };
  }
  if (!takes(operation) && operation.kind !== 'renew') return operation;
  const leaseMs = Math.ceil(ttlMs / SECOND_MS) * SECOND_MS;
  const fromMs = returnedAtMs + (answer === 'unknown' ? LATE_EFFECT_MS : 0);
  const endsByMs = endOf({ fromMs, leaseMs }, elections);
  const longer = { ...operation, longestTtlMs: endsByMs - fromMs };
  if (mayLastUntilMs === undefined) return longer;
  const lastMs = endOf({ fromMs: mayLastUntilMs - ttlMs, leaseMs }, elections);
  return { ...longer, mayLastUntilMs: lastMs };
}

/** When a lease of whole seconds is over at the latest. A new leader lets it begin anew. */
function endOf(
  { fromMs, leaseMs }: { readonly fromMs: number; readonly leaseMs: number },
  elections: readonly FaultWindow[],
): number {
  const lengthMs = leaseMs + SECOND_MS + LOOKS_EVERY_MS + LATE_MS;
  return elections.reduce(
    (endMs, election) =>
      election.fromMs <= endMs && election.toMs >= fromMs
        ? Math.max(endMs, election.toMs + lengthMs)
        : endMs,
    fromMs + lengthMs,
  );
}
