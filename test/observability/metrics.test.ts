import { DEFAULT_CONFIGURATION } from '../../src/configuration/configuration';
import { Metrics } from '../../src/observability/metrics';
import { findMetric, parseMetrics } from '../support/prometheus-text';

describe('whether a store is up', () => {
  const metrics = new Metrics({
    appId: 'a',
    namespace: '',
    settings: DEFAULT_CONFIGURATION.metrics,
    isKnownStore: () => true,
  });
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
    const metrics = new Metrics({
      appId: 'a',
      namespace: '',
      settings: DEFAULT_CONFIGURATION.metrics,
      isKnownStore: () => true,
    });
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
