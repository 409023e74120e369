import { MetadataProperties } from '../../src/components/metadata-properties';
import { createAttempt } from '../../src/lock/attempt';
import type { LockStore, TryLockCall, UnlockCall } from '../../src/lock/lock-store';
import { parseEtcdSettings } from '../../src/stores/etcd/etcd-settings';
import { createEtcdStore } from '../../src/stores/etcd/etcd-store';
import { RecordingLogger } from '../support/recording-logger';

/** A store of `lock.etcd` and the log that it writes. */
export interface EtcdFixture {
  readonly store: LockStore;
  readonly logger: RecordingLogger;
}

/** Makes a store for these members; it is not initialised. */
export function createEtcd(
  endpoints: string,
  metadata: Readonly<Record<string, string>> = {},
): EtcdFixture {
  const logger = new RecordingLogger();
  const properties = new MetadataProperties(Object.entries({ endpoints, ...metadata }));
  return { store: createEtcdStore({ settings: parseEtcdSettings(properties), logger }), logger };
}

/** Makes an initialised store whose sends wait for as long as is said. */
export async function openEtcd(
  endpoints: string,
  metadata: Readonly<Record<string, string>> = {},
): Promise<LockStore> {
  const { store } = createEtcd(endpoints, metadata);
  await store.init(noAbort());
  return store;
}

/** A signal that never aborts. */
export const noAbort = (): AbortSignal => new AbortController().signal;

/** A try for a lock of a minute. */
export const tryCall = (key: string, owner = 'a', ttlMs = 60_000): TryLockCall => ({
  key,
  owner,
  ttlMs,
  attempt: createAttempt(),
});

/** An unlock. */
export const unlockCall = (key: string, owner = 'a'): UnlockCall => ({
  key,
  owner,
  attempt: createAttempt(),
});
