import { parseCpuUs, parseMb } from '../../bench/process-usage';
import { parseRedisBenchmark } from '../../bench/redis-benchmark';
import { countSent, parseCommandStats } from '../../bench/redis-commands';
import { readFixture } from './read-fixture';

describe("redis-benchmark's table", () => {
  it('is read', () => {
    const report = parseRedisBenchmark(readFixture('redis-benchmark.csv'));
    expect(report).toEqual({ callsPerSecond: 50_505.05, meanMs: 1.324 });
  });

  it('is refused where there is none', () => {
    expect(() => parseRedisBenchmark('Could not connect')).toThrow('Could not connect');
  });
});

describe('the commands that Redis sees', () => {
  it('are counted as sent where no script has called them', () => {
    const sent = countSent(readFixture('redis-monitor.txt').trim().split('\n'));
    expect(Object.fromEntries(sent)).toEqual({ eval: 2, info: 1 });
  });

  it('are counted as run with those that scripts have called', () => {
    const run = parseCommandStats(readFixture('redis-commandstats.txt'));
    expect(Object.fromEntries(run)).toEqual({ set: 2, 'config|resetstat': 1, time: 2, eval: 2 });
  });
});

describe('what the kernel says of a process', () => {
  it('has its processor time, whatever its name is', () => {
    expect(parseCpuUs(readFixture('proc-stat.txt'))).toBe((123 + 45) * 10_000);
  });

  it('has its memory', () => {
    const status = 'VmHWM:\t  111111 kB\nVmRSS:\t   45312 kB\n';
    expect(parseMb(status, 'VmRSS')).toBeCloseTo(46.4, 1);
    expect(() => parseMb(status, 'Pss')).toThrow('no Pss');
  });
});
