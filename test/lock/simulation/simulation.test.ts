import { Simulation } from './simulation';

/**
 * How many seeds, and from which one on. `SIMULATION_SEEDS=1000 SIMULATION_FROM=7 npx jest test/lock/simulation`
 * runs others; the seed of a run that fails stands in its name.
 */
const SEEDS = Number(process.env.SIMULATION_SEEDS ?? 12);
const FROM = Number(process.env.SIMULATION_FROM ?? 1);

describe('waiters, holds and faults under virtual time', () => {
  const seeds = Array.from({ length: SEEDS }, (_, index) => FROM + index);

  it.each(seeds)('keep every promise: seed %i', async (seed) => {
    const report = await new Simulation(seed).run();
    expect({ seed, violations: report.violations }).toEqual({ seed, violations: [] });
    expect(report.granted).toBeGreaterThan(3);
  });
});
