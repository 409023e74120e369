import { createInterface } from 'node:readline/promises';

import type { LockInfo } from '../../client/lock-calls';
import type { Locks } from '../../client/locks';
import { EXIT, UsageError } from '../exit-codes';
import type { CommandContext } from '../program';
import { toDetails, toTimeLeft } from './table';

/** Which lock to free, and what the command line says of it. */
export interface ForceReleaseRequest {
  readonly locks: Locks;
  readonly resource: string;
  readonly reason: string;
  /** The token that was looked at; needed if nobody can be asked. */
  readonly token: number | undefined;
  /** True to ask nobody. */
  readonly isAgreed: boolean;
}

/** The result of a forced release, and its exit code. */
export interface ForceReleaseResult {
  readonly code: number;
  readonly status: 'RELEASED' | 'NOT_FOUND' | 'HELD_BY_OTHER' | 'DECLINED';
  /** The lock as it was looked at. */
  readonly lock: LockInfo | undefined;
  /** The sentence for people. */
  readonly sentence: string;
}

/**
 * Frees a lock whose holder is gone: shows who holds it, asks, and frees that grant only.
 *
 * @throws {UsageError} if nobody can be asked, and the command line does not answer
 */
export async function forceRelease(
  request: ForceReleaseRequest,
  context: CommandContext,
): Promise<ForceReleaseResult> {
  const { locks, resource, reason, token, isAgreed } = request;
  assertAnswered(request, context);
  const lock = await locks.get(resource);
  const name = JSON.stringify(resource);
  if (lock === undefined) {
    return { code: EXIT.no, status: 'NOT_FOUND', lock, sentence: `nobody holds ${name}` };
  }
  if (token !== undefined && token !== lock.fencingToken) return toOther(name, lock);
  if (!isAgreed && !(await isConfirmed(lock, context))) {
    return { code: EXIT.no, status: 'DECLINED', lock, sentence: 'nothing was released' };
  }
  const status = await locks.forceRelease(lock, reason);
  if (status === 'RELEASED') return { code: EXIT.ok, status, lock, sentence: toFreed(name, lock) };
  if (status === 'HELD_BY_OTHER') return toOther(name, await locks.get(resource));
  const sentence = `${name} was free before it could be released`;
  return { code: EXIT.no, status, lock, sentence };
}

function assertAnswered(
  { token, isAgreed }: ForceReleaseRequest,
  { stdin, stderr }: CommandContext,
): void {
  if (isAgreed && token === undefined) {
    throw new UsageError('--yes needs --token: the token of the grant that you have looked at');
  }
  if (isAgreed || (stdin.isTTY && stderr.isTTY)) return;
  throw new UsageError('there is no terminal to ask on: --yes and --token are needed');
}

async function isConfirmed(
  lock: LockInfo,
  { stdin, stderr, say }: CommandContext,
): Promise<boolean> {
  stderr.write(toDetails(lock));
  say('this does not stop the holder, which may still write');
  const terminal = createInterface({ input: stdin, output: stderr });
  try {
    const answer = await terminal.question('Release this lock? [y/N] ');
    return /^y(?:es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}

function toFreed(name: string, { lockOwner, fencingToken, ttlMs, waiters }: LockInfo): string {
  const lease = `token ${fencingToken}, time left ${toTimeLeft(ttlMs)}, waiters ${waiters}`;
  return `released ${name}: it was held by ${lockOwner} (${lease})`;
}

function toOther(name: string, lock: LockInfo | undefined): ForceReleaseResult {
  const by = lock === undefined ? '' : `: ${lock.lockOwner}, token ${lock.fencingToken}`;
  const sentence = `${name} was not released: another grant has it by now${by}`;
  return { code: EXIT.lost, status: 'HELD_BY_OTHER', lock, sentence };
}
