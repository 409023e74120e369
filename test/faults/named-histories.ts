import type { FaultRunReport } from './fault-run';

/** Everything about the locks that a violation names, to be read by whoever looks for its cause. */
export function toNamedHistories(report: FaultRunReport): string {
  const { violations, operations, holds, faults, stalls } = report;
  const isNamed = ({ key }: { readonly key: string }) =>
    violations.some((violation) => violation.includes(key));
  const named = { operations: operations.filter(isNamed), holds: holds.filter(isNamed) };
  return JSON.stringify({ violations, faults, stalls, ...named }, undefined, 1);
}
