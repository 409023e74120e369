import { Histogram, Registry } from 'prom-client';

import { HistogramFamily, NumberFamily } from '../../src/observability/metric-families';

describe('a histogram family', () => {
  it("is shown as prom-client's own, to the letter", async () => {
    const options = { name: 'a_seconds', help: 'Time', buckets: [0.1, 1, 10] };
    const [own, theirs] = [new Registry(), new Registry()];
    const series = new HistogramFamily({ ...options, registry: own }).begin({ store: 's"\\\n' });
    const reference = new Histogram({ ...options, labelNames: ['store'], registers: [theirs] });
    for (const value of [0, 0.05, 0.1, 0.100001, 1, 5, 10, 10.5, 1e9]) {
      series.observe(value);
      reference.observe({ store: 's"\\\n' }, value);
    }
    expect(await own.metrics()).toBe(await theirs.metrics());
  });
});

describe('a family of numbers', () => {
  it('shows each series with its labels', async () => {
    const registry = new Registry();
    const family = new NumberFamily('counter', { name: 'calls_total', help: 'Calls', registry });
    family.begin({ outcome: 'acquired' }).value += 2;
    family.begin({ outcome: 'refused' });
    expect(await registry.metrics()).toBe(
      [
        '# HELP calls_total Calls',
        '# TYPE calls_total counter',
        'calls_total{outcome="acquired"} 2',
        'calls_total{outcome="refused"} 0',
        '',
      ].join('\n'),
    );
  });

  it('can not have a name that there is', () => {
    const registry = new Registry();
    const options = { name: 'calls', help: 'Calls', registry };
    new NumberFamily('gauge', options);
    expect(() => new NumberFamily('gauge', options)).toThrow('already been registered');
  });
});
