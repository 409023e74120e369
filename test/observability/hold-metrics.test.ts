import { Metrics } from '../../src/observability/metrics';
import { findMetric, parseMetrics } from '../support/prometheus-text';

const SETTINGS = {
  enabled: true,
  http: { increasedCardinality: false, pathMatching: [], excludeVerbs: false },
  latencyBucketsMs: undefined,
} as unknown as ConstructorParameters<typeof Metrics>[0]['settings'];

const LABELS = { app_id: 'app', store: 'store' };

describe('the metrics of waits and holds', () => {
  let metrics: Metrics;

  const valueOf = async (name: string, labels = {}) =>
    findMetric(parseMetrics(await metrics.registry.metrics()), name, { ...LABELS, ...labels });

  const series: [string, Record<string, string>][] = [
    ['dapr_lock_waiters', {}],
    ['dapr_lock_wait_duration_seconds_count', { outcome: 'granted' }],
    ['dapr_lock_wake_ups_total', {}],
    ['dapr_lock_holds', {}],
    ['dapr_lock_renewals_total', { outcome: 'withheld' }],
    ['dapr_lock_holds_lost_total', { reason: 'taken_over' }],
    ['dapr_lock_force_releases_total', {}],
  ];

  const loss = {
    storeName: 'store',
    resourceId: 'r',
    lockOwner: 'o',
    fencingToken: 1,
    outcome: 'lost',
    lostBy: 'TAKEN_OVER',
    heldMs: 5,
  } as const;

  beforeEach(() => {
    const isKnownStore = () => true;
    metrics = new Metrics({ appId: 'app', namespace: '', settings: SETTINGS, isKnownStore });
    metrics.storeObserver('store').up(true);
  });

  it.each(series)('%s begins at 0 with its store', async (name, labels) => {
    expect(await valueOf(name, labels)).toBe(0);
  });

  it('count what happens', async () => {
    const { holdObserver: observer } = metrics;
    observer.waitBegan?.('store');
    observer.waitBegan?.('store');
    observer.waitEnded?.({ storeName: 'store', outcome: 'granted', waitedMs: 1500 });
    observer.woken?.('store');
    observer.holdBegan?.('store', { resourceId: 'r', lockOwner: 'o' });
    observer.renewalEnded?.('store', 'withheld');
    expect(await valueOf('dapr_lock_holds')).toBe(1);
    observer.holdEnded?.(loss);
    observer.forceReleased?.({ ...loss, reason: 'x' });
    const values = await Promise.all(series.map(([name, labels]) => valueOf(name, labels)));
    expect(values).toEqual([1, 1, 1, 0, 1, 1, 1]);
    expect(await valueOf('dapr_lock_wait_duration_seconds_sum', { outcome: 'granted' })).toBe(1.5);
  });

  it('end with their store, and never fall below 0 with one of its name', async () => {
    const { holdObserver: observer } = metrics;
    const first = metrics.storeObserver('other');
    first.up(true);
    observer.holdBegan?.('other', { resourceId: 'r', lockOwner: 'o' });
    first.closed();
    observer.holdEnded?.({ ...loss, storeName: 'other' });
    metrics.storeObserver('other').up(true);
    observer.holdEnded?.({ ...loss, storeName: 'other' });
    expect(await valueOf('dapr_lock_holds', { store: 'other' })).toBe(0);
  });
});
