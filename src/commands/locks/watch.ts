import { setTimeout as pause } from 'node:timers/promises';

import { toErrorMessage } from '../../base/error-message';
import { LockUnreachableError } from '../../client/client-errors';
import type { LockInfo } from '../../client/lock-calls';
import type { Locks } from '../../client/locks';
import { EXIT } from '../exit-codes';
import type { CommandContext } from '../program';
import { hasColours, toTable } from './table';

/** The locks to watch, and how to show them. */
export interface WatchRequest {
  readonly locks: Locks;
  readonly prefix: string;
  readonly intervalMs: number;
  readonly isJson: boolean;
  readonly signal: AbortSignal;
}

/** A change between two looks. */
export interface LockChange {
  /** `held` also says that another grant has the lock by now. */
  readonly type: 'held' | 'freed';
  readonly lock: LockInfo;
}

/** Moves the cursor to the top and clears the terminal. */
const CLEAR = '\u001b[H\u001b[2J\u001b[3J';

/**
 * Shows the held locks until the signal aborts: on a terminal a table that is drawn anew, else a line for each change.
 * It does not see a change that begins and ends between two looks.
 */
export async function watch(request: WatchRequest, context: CommandContext): Promise<number> {
  const { locks, prefix, intervalMs, signal } = request;
  let before: readonly LockInfo[] = [];
  while (!signal.aborted) {
    try {
      const found: LockInfo[] = [];
      for await (const lock of locks.list({ prefix })) found.push(lock);
      show({ before, found }, request, context);
      before = found;
    } catch (error) {
      // A sidecar that restarts is no reason to stop looking.
      if (!(error instanceof LockUnreachableError)) throw error;
      context.say(toErrorMessage(error));
    }
    await pause(intervalMs, undefined, { signal }).catch(() => undefined);
  }
  return EXIT.ok;
}

/** The changes between two looks, by grant. */
export function toChanges(
  before: readonly LockInfo[],
  found: readonly LockInfo[],
): readonly LockChange[] {
  const known = new Set(before.map(toGrant));
  const current = new Set(found.map(toGrant));
  const resources = new Set(found.map(({ resourceId }) => resourceId));
  return [
    ...before
      .filter((lock) => !current.has(toGrant(lock)) && !resources.has(lock.resourceId))
      .map((lock) => ({ type: 'freed' as const, lock })),
    ...found
      .filter((lock) => !known.has(toGrant(lock)))
      .map((lock) => ({ type: 'held' as const, lock })),
  ];
}

function toGrant({ resourceId, lockOwner, fencingToken }: LockInfo): string {
  return JSON.stringify([resourceId, lockOwner, fencingToken]);
}

function show(
  { before, found }: { readonly before: readonly LockInfo[]; readonly found: readonly LockInfo[] },
  { isJson }: WatchRequest,
  { stdout, env }: CommandContext,
): void {
  if (stdout.isTTY && !isJson) {
    const now = new Date().toLocaleTimeString();
    stdout.write(
      `${CLEAR}${toTable(found, hasColours(stdout, env))}\n${found.length} held, ${now}\n`,
    );
    return;
  }
  const at = new Date().toISOString();
  for (const { type, lock } of toChanges(before, found)) {
    if (isJson) stdout.write(`${JSON.stringify({ at, type, lock })}\n`);
    else stdout.write(`${at} ${type} ${toTable([lock], false).split('\n')[1] ?? ''}\n`);
  }
}
