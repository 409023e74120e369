import type { LockInfo } from '../../client/lock-calls';
import { toCellText, toTimeLeft } from '../locks/table';

/** The state of a call that waits for a lock. */
export interface WaitingState {
  readonly resource: string;
  readonly waitedMs: number;
  readonly waitMs: number;
  /** How many calls were before this one when it began to wait; undefined for a call that is not told. */
  readonly ahead: number | undefined;
  /** The lock as it was seen last, with what is left of it by now; undefined if it was not seen. */
  readonly holder: LockInfo | undefined;
}

/** Longer names are cut, so that a line stays a line. `locks show` has all of them. */
const LONGEST_NAME = 40;

/** Where a call stands: `waiting for nightly, 2 before this call, held by host-7-ab for 12.3 s more, 20 s of 10 min 0 s`. */
export function toWaitingText(state: WaitingState): string {
  const { resource, waitedMs, waitMs, holder } = state;
  const parts = [`waiting for ${toCellText(resource, LONGEST_NAME)}`];
  const place = toPlace(state);
  if (place !== undefined) parts.push(place);
  if (holder !== undefined) parts.push(toHolder(holder));
  parts.push(`waited ${toTimeLeft(waitedMs)} of ${toTimeLeft(waitMs)}`);
  return parts.join(', ');
}

/** Nobody comes before a call that waits, so its place only gets better: it is never behind more than wait now. */
function toPlace({ ahead, holder }: WaitingState): string | undefined {
  const waiters = holder?.waiters ?? Infinity;
  if (ahead === undefined) return waiters === Infinity ? undefined : `waiters: ${waiters}`;
  const before = Math.max(0, Math.min(ahead, waiters - 1));
  return before === 0 ? 'next in turn' : `${before} before this call`;
}

/** A holder that renews its lease is shown with what is left until the next renewal. */
function toHolder({ lockOwner, ttlMs }: LockInfo): string {
  const owner = `held by ${toCellText(lockOwner, LONGEST_NAME)}`;
  return ttlMs === undefined ? owner : `${owner} for ${toTimeLeft(ttlMs)} more`;
}
