import type { Operation } from './history';

/** Grants that a refused wait may have got in its last moments, too late to be told. */
export function toLateGrant(operation: Operation): Operation[] {
  const { id, kind, answer, waitMs = 0 } = operation;
  if (kind !== 'acquire' || answer !== 'refused' || waitMs === 0) return [];
  return [{ ...operation, id: id - 0.5, answer: 'unknown', ttlMs: 0, longestTtlMs: 0 }];
}

/**
 * Effects that a renewal may have had before it found its grant gone: its reply was lost, the lease that it had prolonged ran out,
 * and it was sent again.
 */
export function toUntoldRenewal(operation: Operation): Operation[] {
  const { id, kind, answer } = operation;
  if (kind !== 'renew' || (answer !== 'not_found' && answer !== 'held_by_other')) return [];
  return [{ ...operation, id: id - 0.25, answer: 'unknown', lateMs: 0 }];
}
