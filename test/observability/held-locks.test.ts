import type { LockCallReport } from '../../src/lock/lock-observer';
import { StoreHeldLocks } from '../../src/observability/held-locks';
import { Metrics } from '../../src/observability/metrics';
import { ManualClock } from '../support/manual-clock';
import { findMetric, parseMetrics } from '../support/prometheus-text';

const SETTINGS = {
  enabled: true,
  http: { increasedCardinality: false, pathMatching: [], excludeVerbs: false },
  latencyBucketsMs: undefined,
} as unknown as ConstructorParameters<typeof Metrics>[0]['settings'];

describe('dapr_lock_held', () => {
  let clock: ManualClock;
  let metrics: Metrics;

  const heldIn = async (store = 'store') =>
    findMetric(parseMetrics(await metrics.registry.metrics()), 'dapr_lock_held', {
      app_id: 'app',
      store,
    });

  const ended = (
    operation: LockCallReport['operation'],
    outcome: LockCallReport['outcome'],
    more: Partial<LockCallReport> = {},
  ): void => {
    const subject = { storeName: 'store', isKnownStore: true, resourceId: 'r', lockOwner: 'o' };
    metrics.heldObserver.ended({ ...subject, operation, outcome, durationMs: 1, ...more });
  };

  beforeEach(() => {
    clock = new ManualClock();
    const isKnownStore = () => true;
    metrics = new Metrics({ appId: 'app', namespace: '', settings: SETTINGS, isKnownStore, clock });
    metrics.storeObserver('store').up(true);
  });

  it('begins at 0 with its store, and ends with it', async () => {
    const other = metrics.storeObserver('other');
    other.up(true);
    expect(await heldIn('other')).toBe(0);
    other.closed();
    expect(await heldIn('other')).toBeUndefined();
  });

  it.each(['tryLock', 'acquire'] as const)(
    'counts what a %s took until it lapses',
    async (kind) => {
      ended(kind, 'acquired', { leaseMs: 1000 });
      ended(kind, 'refused', { leaseMs: 1000, resourceId: 'other' });
      expect(await heldIn()).toBe(1);
      clock.pass(999);
      expect(await heldIn()).toBe(1);
      clock.pass(1);
      expect(await heldIn()).toBe(0);
    },
  );

  it.each(['unlock', 'release', 'forceRelease'] as const)('ends by a %s', async (kind) => {
    ended('tryLock', 'acquired', { leaseMs: 1000 });
    ended(kind, 'held_by_other');
    expect(await heldIn()).toBe(1);
    ended(kind, 'unlocked');
    expect(await heldIn()).toBe(0);
  });

  it.each(['unlock', 'release', 'renew'] as const)('ends where a %s finds none', async (kind) => {
    ended('tryLock', 'acquired', { leaseMs: 1000 });
    ended(kind, 'not_found');
    expect(await heldIn()).toBe(0);
  });

  it('ends with the last grant, which proves that those before are over', async () => {
    ended('tryLock', 'acquired', { leaseMs: 3_600_000 });
    ended('tryLock', 'acquired', { leaseMs: 5000 });
    clock.pass(5000);
    expect(await heldIn()).toBe(0);
  });

  it('follows a renewal, which never shortens, and only of what this sidecar granted', async () => {
    ended('tryLock', 'acquired', { leaseMs: 1000 });
    ended('renew', 'renewed', { leaseMs: 3000 });
    ended('renew', 'renewed', { leaseMs: 10 });
    ended('renew', 'renewed', { leaseMs: 3000, resourceId: 'of another sidecar' });
    clock.pass(2999);
    expect(await heldIn()).toBe(1);
    clock.pass(1);
    expect(await heldIn()).toBe(0);
  });

  it('counts a lock that is taken again once', async () => {
    ended('tryLock', 'acquired', { leaseMs: 1000 });
    clock.pass(1500);
    ended('tryLock', 'acquired', { leaseMs: 1000 });
    expect(await heldIn()).toBe(1);
  });

  it('counts holds while they have their lock, and not by their calls', async () => {
    const subject = { storeName: 'store', resourceId: 'r', lockOwner: 'o', fencingToken: 1 };
    const report = { ...subject, outcome: 'released', heldMs: 1 } as const;
    metrics.heldObserver.holdBegan?.('store', subject);
    expect(await heldIn()).toBe(1);
    clock.pass(100_000);
    expect(await heldIn()).toBe(1);
    metrics.heldObserver.holdEnded?.(report);
    ended('hold', 'unlocked', { leaseMs: 1000 });
    metrics.heldObserver.holdEnded?.(report);
    expect(await heldIn()).toBe(0);
  });

  it('counts nothing of a store that is not there', async () => {
    ended('tryLock', 'acquired', { leaseMs: 1000, storeName: 'nowhere' });
    expect(await heldIn('nowhere')).toBeUndefined();
  });
});

describe('the grants that are remembered', () => {
  it('are no more than 100,000, and those that have lapsed make room', () => {
    const clock = new ManualClock();
    const held = new StoreHeldLocks(clock);
    for (let index = 0; index < 100_001; index += 1) held.granted(`r${index}`, 1000);
    expect(held.value).toBe(100_000);
    clock.pass(1000);
    held.granted('r', 1000);
    expect(held.value).toBe(1);
  });

  it('have no more than 4 Mi characters of names', () => {
    const held = new StoreHeldLocks(new ManualClock());
    for (let index = 0; index < 5; index += 1) held.granted(String(index).repeat(2 ** 20), 1000);
    expect(held.value).toBe(4);
    held.released('0'.repeat(2 ** 20));
    held.granted('4'.repeat(2 ** 20), 1000);
    expect(held.value).toBe(4);
  });

  it('need no timer', () => {
    const clock = new ManualClock();
    new StoreHeldLocks(clock).granted('r', 1000);
    expect(clock.timers).toBe(0);
  });
});
