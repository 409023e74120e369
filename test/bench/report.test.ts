import { parseBenchOptions } from '../../bench/bench-options';
import type { BenchResult } from '../../bench/bench-result';
import { toComparison } from '../../bench/compare-runs';
import { describeMachine } from '../../bench/machine';
import { toMarkdown } from '../../bench/markdown-report';
import { toDigits } from '../../bench/number-text';
import { toRatios } from '../../bench/ratios';
import { growthOf } from '../../bench/soak';
import { measureText } from '../../bench/text-width';

const tools = { node: ['20.1.0'], redis: '7.0.0', h2load: '1.5', vegeta: 'v12' };

function resultOf(cpuUs: number, machine = describeMachine(tools)): BenchResult {
  const nine = (value: number) => Array.from({ length: 9 }, () => ({ cpuUs: value }));
  const measure = {
    name: 'refused/grpc/redis/100',
    pairs: [{ of: 'ours', to: 'grpc-echo' }],
    rounds: { ours: nine(cpuUs), 'grpc-echo': nine(100) },
  };
  return {
    date: '2026-01-02T03:04:05.678Z',
    revision: 'abc1234',
    machine,
    options: parseBenchOptions([]),
    measures: [measure],
    ratios: toRatios(measure),
    handOvers: [],
    commands: [
      { target: 'ours', call: 'TryLock, taken', sent: { evalsha: 1 }, run: { evalsha: 1, set: 2 } },
    ],
    soak: undefined,
    failures: [{ measure: 'open/grpc/redis/1000', message: 'a wrong answer' }],
  };
}

describe('the report', () => {
  it('tells aims, ratios with their intervals, commands and failures', () => {
    const markdown = toMarkdown(resultOf(130));
    for (const line of [
      '| refused/grpc/redis/100: CPU a call, ours / grpc-echo | 1.30 | 1.30 to 1.30 (96 %) | 1.45 | met |',
      '| refused/grpc/redis/100 | CPU a call | ours / grpc-echo | 1.30 | 1.30 to 1.30 (96 %) | 130 µs | 100 µs |',
      '| ours | TryLock, taken | 1.00 evalsha | 2.00 set |',
      '- open/grpc/redis/1000: a wrong answer',
    ]) {
      expect(markdown).toContain(line);
    }
  });

  it('says what it ran on, and names neither the host nor a path', () => {
    const markdown = toMarkdown(resultOf(130));
    expect(markdown).toContain('Node 20.1.0, Redis 7.0.0, h2load 1.5, vegeta v12');
    expect(JSON.stringify(resultOf(130).machine)).not.toContain(process.cwd());
  });

  // Set in DejaVu Sans at 100 px, by its own metrics.
  it.each([
    ['memory/redis · resident memory, idle · ours@20.20.2', 2692],
    ['WWW @@@', 629],
    ['il.', 88],
  ])('measures %j as at least what it takes', (text, takes) => {
    const measured = measureText(text, { size: 100 });
    expect(measured).toBeGreaterThanOrEqual(takes);
    expect(measured).toBeLessThan(takes * 1.1);
  });

  it.each([
    [0.01234, '0.0123'],
    [1.2, '1.20'],
    [99.96, '100'],
    [1234.5, '1230'],
    [0, '0.00'],
    [NaN, '–'],
  ])('writes %d as %s', (number, text) => {
    expect(toDigits(number)).toBe(text);
  });
});

describe('the comparison with an earlier run', () => {
  it('tells what has changed', () => {
    expect(toComparison(resultOf(130), resultOf(120))).toMatch(/1\.30 .* 1\.20 .* changed \|/);
    expect(toComparison(resultOf(130), resultOf(130))).not.toContain('changed');
  });

  it.each([
    ['node', { node: ['22.1.0'] }],
    ['id', { id: 'another' }],
    ['cores', { cores: 99 }],
  ])('is refused where the %s is another', (field, other) => {
    const earlier = resultOf(130, { ...describeMachine(tools), ...other });
    expect(() => toComparison(earlier, resultOf(130))).toThrow(`they differ in: ${field} `);
  });
});

describe('the growth of memory', () => {
  it('is that of the last fifth over the second one', () => {
    const rss = [100, 150, 200, 200, 202, 205, 210, 208, 210, 210];
    const samples = rss.map((rssMb, atSeconds) => ({ atSeconds, rssMb }));
    expect(growthOf(samples)).toBeCloseTo(0.05, 6);
  });
});
