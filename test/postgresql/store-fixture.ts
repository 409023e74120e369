import { randomUUID } from 'node:crypto';

import { MetadataProperties } from '../../src/components/metadata-properties';
import { createAttempt } from '../../src/lock/attempt';
import type { LockStore, TryLockCall } from '../../src/lock/lock-store';
import { postgresqlDriver } from '../../src/stores/postgresql/postgresql-driver';
import { RecordingLogger } from '../support/recording-logger';

/** A lease that no test outlives, in milliseconds. */
export const LONG_MS = 60_000;

export const forever = (): AbortSignal => new AbortController().signal;

/** A store and its log. */
export interface StoreUnderTest {
  readonly store: LockStore;
  readonly logger: RecordingLogger;
}

/** Creates a store that is not connected. */
export function createStore(
  connectionString: string,
  metadata: Readonly<Record<string, string>> = {},
): StoreUnderTest {
  const logger = new RecordingLogger();
  const store = postgresqlDriver.create({
    componentName: 'lockstore',
    properties: new MetadataProperties(Object.entries({ connectionString, ...metadata })),
    logger,
  });
  return { store, logger };
}

/** A call on a key of its own unless one is given. */
export function callOn(given: Partial<TryLockCall> = {}): TryLockCall {
  const key = `lock||test||${randomUUID()}`;
  return { key, owner: 'a', ttlMs: LONG_MS, attempt: createAttempt(), ...given };
}

/** Whether a lock is held. */
export async function isHeld(store: LockStore, key: string): Promise<boolean> {
  return (await store.views!.get(key, forever())) !== undefined;
}

/** Takes and releases a lock, so that it has a row. */
export async function leaveRow(store: LockStore, key: string): Promise<void> {
  await store.tryLock(callOn({ key }), forever());
  await store.unlock({ key, owner: 'a', attempt: createAttempt() }, forever());
}
