import { LeaseClock } from '../../src/lock/lease-clock';
import { ManualClock } from '../support/manual-clock';

describe('the clock of leases', () => {
  let monotonic: ManualClock;
  let wallAheadMs: number;
  let clock: LeaseClock;

  beforeEach(() => {
    monotonic = new ManualClock();
    wallAheadMs = 1_700_000_000_000;
    clock = new LeaseClock(monotonic, () => Math.floor(monotonic.now() + wallAheadMs));
  });

  it('runs as the monotonic clock does', () => {
    monotonic.pass(1234.5);
    expect(clock.now()).toBe(1234.5);
    expect(clock.asleepMs()).toBe(0);
  });

  it('counts the time in which the machine was suspended, once', () => {
    monotonic.pass(10);
    wallAheadMs += 60_000;
    expect(clock.now()).toBeCloseTo(60_010, -1);
    monotonic.pass(10);
    expect(clock.now()).toBeCloseTo(60_020, -1);
    expect(clock.asleepMs()).toBeCloseTo(60_000, -1);
  });

  it.each([
    ['set back', [-60_000]],
    ['slewed by NTP', Array.from({ length: 200 }, () => 0.5)],
    ['set back and ahead by little', [-4, 4, -4, 4]],
  ])('does not count a wall clock that is %s', (_what, changes) => {
    for (const change of changes) {
      wallAheadMs += change;
      clock.now();
    }
    expect(clock.asleepMs()).toBe(0);
  });

  it('does not count the time between its two readings, in which another process may run', () => {
    let stolenMs = 0;
    const preempted = new LeaseClock(monotonic, () => {
      monotonic.pass(stolenMs);
      stolenMs = 0;
      return monotonic.now() + wallAheadMs;
    });
    stolenMs = 50;
    preempted.now();
    preempted.now();
    expect(preempted.asleepMs()).toBe(0);
  });

  it('counts a sleep between its two readings', () => {
    let sleepMs = 0;
    const sleepy = new LeaseClock(monotonic, () => {
      wallAheadMs += sleepMs;
      sleepMs = 0;
      return monotonic.now() + wallAheadMs;
    });
    sleepMs = 60_000;
    expect(sleepy.now()).toBe(60_000);
  });

  it('converts its times into those of the monotonic clock as of now', () => {
    const endMs = clock.now() + 1000;
    wallAheadMs += 400;
    expect(clock.toMonotonic(endMs)).toBe(600);
  });
});
