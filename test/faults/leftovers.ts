import { setTimeout as pause } from 'node:timers/promises';

import {
  isSideKey,
  PRESENCE_PREFIX,
  QUEUE_SUFFIX,
  TOKEN_KEY,
} from '../../src/stores/redis/side-keys';
import { eventually } from '../support/eventually';
import type { RedisServer } from '../support/redis-server';
import type { Operation } from './history';
import { takes } from './lock-model';
import type { Troubles } from './troubles';

/** How long after Redis is back a withdrawn lock may stay: the stated allowance. */
const WITHDRAWN_WITHIN_MS = 1000;

/** The longest lease of the workload. */
const LONGEST_LEASE_MS = 2000;

/** A lock of an earlier call would be over by itself. */
const LATEST_MS = 20_000;

/** How long a queue may stay when nobody waits any more: as long as a ticket lives that nobody refreshes. */
const QUEUES_WITHIN_MS = 3500;

/** Keys that stay in Redis and should not, once everything is whole and quiet. */
export async function findLeftovers(
  redis: RedisServer,
  operations: readonly Operation[],
  troubles: Troubles,
): Promise<string[]> {
  const quietSinceMs = performance.now();
  const found = await findUnwithdrawn(redis, operations, troubles);
  for (const key of await findEndless(redis))
    found.push(`${key} outlives its last promised expiry`);
  await pause(LONGEST_LEASE_MS);
  const keysOf = () => redis.inspect((client) => client.keys('lock||*'));
  for (const key of (await keysOf()).filter(isLock))
    found.push(`${key} is not free after its expiry`);
  await pause(Math.max(0, quietSinceMs + QUEUES_WITHIN_MS - performance.now()));
  for (const key of (await keysOf()).filter(isOfQueue))
    found.push(`${key} stays though nobody waits`);
  return found;
}

async function findUnwithdrawn(
  redis: RedisServer,
  operations: readonly Operation[],
  troubles: Troubles,
): Promise<string[]> {
  const nameOf = ({ key, owner }: Operation): string => `${key} ${owner}`;
  const granted = new Set(operations.filter(({ answer }) => answer === 'acquired').map(nameOf));
  const withdrawn = operations.filter(
    (each) =>
      takes(each) &&
      each.by === 'holdfast' &&
      each.answer === 'unknown' &&
      each.returnedAtMs > performance.now() - LATEST_MS &&
      !granted.has(nameOf(each)),
  );
  const nowMs = performance.now();
  // On a connection that a fault has left silent, a withdrawal is sent again when it was given up.
  const dueMs = withdrawn.map((each) => troubles.dueAtMs(nowMs, WITHDRAWN_WITHIN_MS, each));
  try {
    await eventually(
      async () => {
        const owners = await redis.inspect((client) =>
          Promise.all(withdrawn.map(({ key }) => client.get(key))),
        );
        const held = withdrawn.filter(({ owner }, index) => owners[index] === owner);
        if (held.length > 0)
          throw new Error(`a withdrawn attempt still holds its lock: ${tell(held)}`);
      },
      { withinMs: Math.max(...dueMs, nowMs) - nowMs },
    );
    return [];
  } catch (error) {
    return [String(error)];
  }
}

/** Calls that help to find out why, one a line. */
function tell(operations: readonly Operation[]): string {
  const nowMs = performance.now();
  return operations
    .map(
      ({ kind, key, owner, version, sidecar, over, ttlMs, calledAtMs, returnedAtMs, reason }) => {
        const asked = [version, sidecar, over].filter((word) => word !== undefined).join(' ');
        const [calledMs, returnedMs] = [nowMs - calledAtMs, nowMs - returnedAtMs].map(Math.round);
        const times = `called ${calledMs} ms and answered ${returnedMs} ms ago`;
        return `${kind} of ${key} by ${owner} for ${ttlMs} ms (${asked}), ${times}: ${reason ?? ''}`;
      },
    )
    .join('\n  ');
}

function findEndless(redis: RedisServer): Promise<string[]> {
  return redis.inspect(async (client) => {
    // The last token is the one key that is to stay.
    const keys = (await client.keys('lock||*')).filter((key) => key !== TOKEN_KEY);
    const left = await Promise.all(keys.map((key) => client.pTTL(key)));
    return keys.filter(
      (key, index) => left[index] === -1 || (isLock(key) && left[index]! > LONGEST_LEASE_MS),
    );
  });
}

/** Side keys of the first version have names that locks can have; no lock of a run has such a one. */
export function isLock(key: string): boolean {
  return !isSideKey(key) && !key.includes('||done||') && !key.endsWith('||attempt');
}

/** True for a queue, or for the presence of a sidecar in one; in a cluster with a tag before. */
export function isOfQueue(key: string): boolean {
  return key.endsWith(QUEUE_SUFFIX) || key.replace(/^\{\d+\}/, '').startsWith(PRESENCE_PREFIX);
}
