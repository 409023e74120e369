import { DEFAULT_CONFIGURATION } from '../../src/configuration/configuration';
import { Metrics } from '../../src/observability/metrics';
import { findMetric, parseMetrics } from '../support/prometheus-text';

const createMetrics = (): Metrics =>
  new Metrics({
    appId: 'a',
    namespace: '',
    settings: DEFAULT_CONFIGURATION.metrics,
    isKnownStore: () => true,
  });

const samplesOf = async (metrics: Metrics) => parseMetrics(await metrics.registry.metrics());

describe('whether a store is up', () => {
  const metrics = createMetrics();
  afterAll(() => {
    metrics.registry.clear();
  });
  const isUp = async () =>
    findMetric(parseMetrics(await metrics.registry.metrics()), 'dapr_lock_store_up', {
      store: 's',
    });

  it('is told of the store that is in use while its successor is opened and it is let go', async () => {
    const before = metrics.storeObserver('s');
    before.up(true);
    const after = metrics.storeObserver('s');
    await expect(isUp()).resolves.toBe(1);
    after.up(true);
    before.up(false);
    await expect(isUp()).resolves.toBe(1);
    before.closed();
    after.up(false);
    await expect(isUp()).resolves.toBe(0);
    after.closed();
    await expect(isUp()).resolves.toBeUndefined();
  });
});

describe('the state of a breaker', () => {
  it('is not shown any more once it is taken back', async () => {
    const metrics = createMetrics();
    const use = { component: 's', name: 'mine' };
    const state = async () =>
      findMetric(parseMetrics(await metrics.registry.metrics()), 'dapr_resiliency_cb_state', {
        target: 'Lock_s',
        status: 'open',
      });
    metrics.recordBreakerState(use, 'open');
    await expect(state()).resolves.toBe(1);
    metrics.removeBreakerState(use);
    await expect(state()).resolves.toBeUndefined();
    metrics.registry.clear();
  });
});

describe('the series of a store', () => {
  const call = {
    operation: 'tryLock',
    storeName: 's',
    isKnownStore: true,
    resourceId: 'r',
    lockOwner: 'o',
    outcome: 'acquired',
    durationMs: 1,
  } as const;
  const OUTCOMES = {
    try_lock: ['acquired', 'refused', 'error', 'unknown', 'overloaded'],
    unlock: ['unlocked', 'not_found', 'held_by_other', 'error', 'unknown', 'overloaded'],
  };
  const store = { app_id: 'a', store: 's' };

  it('all begin at 0 with it, before any call', async () => {
    const metrics = createMetrics();
    metrics.storeObserver('s').up(false);
    const samples = await samplesOf(metrics);
    for (const [operation, outcomes] of Object.entries(OUTCOMES)) {
      const labels = { ...store, operation };
      for (const outcome of outcomes) {
        const name = 'dapr_lock_operations_total';
        expect(findMetric(samples, name, { ...labels, outcome })).toBe(0);
      }
      expect(findMetric(samples, 'dapr_lock_operation_duration_seconds_count', labels)).toBe(0);
      expect(findMetric(samples, 'dapr_lock_operations_in_flight', labels)).toBe(0);
    }
    for (const name of [
      'dapr_lock_store_up',
      'dapr_lock_store_reconnects_total',
      'dapr_lock_withdrawn_attempts_total',
    ]) {
      expect(findMetric(samples, name, store)).toBe(0);
    }
  });

  it('outlast the replacement of the store, and end with its last instance', async () => {
    const metrics = createMetrics();
    const [before, after] = [metrics.storeObserver('s'), metrics.storeObserver('s')];
    before.up(true);
    before.reconnected();
    metrics.lockObserver.ended(call);
    after.up(true);
    before.closed();
    const kept = await samplesOf(metrics);
    expect(findMetric(kept, 'dapr_lock_operations_total', { ...store, outcome: 'acquired' })).toBe(
      1,
    );
    expect(findMetric(kept, 'dapr_lock_store_reconnects_total', store)).toBe(1);
    after.closed();
    metrics.lockObserver.ended(call);
    const gone = (await samplesOf(metrics)).filter(({ labels }) => labels.store === 's');
    expect(gone).toEqual([]);
  });

  it('are not those of a name that no store has', async () => {
    const metrics = createMetrics();
    metrics.lockObserver.ended({ ...call, isKnownStore: false, outcome: 'error' });
    const samples = await samplesOf(metrics);
    expect(
      findMetric(samples, 'dapr_lock_operations_total', {
        app_id: 'a',
        store: '',
        operation: 'try_lock',
        outcome: 'error',
      }),
    ).toBe(1);
  });
});

describe('components', () => {
  it('are counted once loaded, and their failures begin at 0 then', async () => {
    const metrics = createMetrics();
    const loaded = async () =>
      findMetric(await samplesOf(metrics), 'dapr_runtime_component_loaded', { app_id: 'a' });
    await expect(loaded()).resolves.toBe(0);
    metrics.recordComponent({ name: 's', type: 'lock.redis' }, undefined);
    await expect(loaded()).resolves.toBe(1);
    const failed = async (reason: string) =>
      findMetric(await samplesOf(metrics), 'dapr_runtime_component_init_fail_total', {
        app_id: 'a',
        component: 'lock.redis',
        componentName: 's',
        reason,
      });
    await expect(failed('init')).resolves.toBe(0);
    await expect(failed('creation')).resolves.toBe(0);
    metrics.recordComponent({ name: 's', type: 'lock.redis' }, 'init');
    await expect(failed('init')).resolves.toBe(1);
    await expect(loaded()).resolves.toBe(1);
  });
});
