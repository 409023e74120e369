import fc from 'fast-check';

import { REPORT_INTERVAL_MS, Trouble } from '../../src/base/trouble';
import { ManualClock } from '../support/manual-clock';

describe('a trouble', () => {
  let clock: ManualClock;
  let told: string[];
  let trouble: Trouble;
  const create = (isPartial = false): Trouble =>
    new Trouble({
      clock,
      isPartial,
      onFailing: ({ reason, failures }, isFirst) =>
        told.push(`${clock.now()} ${reason} ${isFirst ? 'first' : `+${failures}`}`),
      onOver: ({ failures, lastedMs }) =>
        told.push(`${clock.now()} over: ${failures} in ${lastedMs}`),
      onIdle: () => told.push(`${clock.now()} idle`),
    });
  beforeEach(() => {
    clock = new ManualClock();
    told = [];
    trouble = create();
  });

  it('is told at its first failure, then as a number, then at its end', () => {
    trouble.failed('a');
    for (let call = 0; call < 99; call += 1) trouble.failed('b');
    clock.pass(REPORT_INTERVAL_MS);
    clock.pass(2000);
    trouble.succeeded();
    clock.pass(REPORT_INTERVAL_MS);
    expect(told).toEqual(['0 a first', '10000 b +99', '12000 over: 100 in 12000', '20000 idle']);
  });

  it('is told again at once where it comes back after a while', () => {
    trouble.failed('a');
    trouble.succeeded();
    clock.pass(REPORT_INTERVAL_MS);
    trouble.failed('c');
    expect(told).toEqual(['0 a first', '0 over: 1 in 0', '10000 idle', '10000 c first']);
  });

  it('is not over with each success where failures alternate with them', () => {
    for (let second = 0; second < 25; second += 1) {
      trouble.failed('a');
      trouble.succeeded();
      clock.pass(1000);
    }
    clock.pass(2 * REPORT_INTERVAL_MS);
    expect(told).toEqual([
      '0 a first',
      '0 over: 1 in 0',
      '10000 a +9',
      '20000 a +10',
      '30000 a +5',
      '40000 over: 25 in 40000',
      '40000 idle',
    ]);
  });

  it('that is partial is over only once it is quiet', () => {
    trouble = create(true);
    trouble.failed('a');
    trouble.succeeded();
    clock.pass(REPORT_INTERVAL_MS);
    expect(told).toEqual(['0 a first', '10000 over: 1 in 10000', '10000 idle']);
  });

  it('that alternated is over with the first success after a quiet time', () => {
    trouble.failed('a');
    trouble.succeeded();
    trouble.failed('a');
    clock.pass(3 * REPORT_INTERVAL_MS);
    trouble.succeeded();
    expect(told).toEqual([
      '0 a first',
      '0 over: 1 in 0',
      '10000 a +1',
      '30000 over: 2 in 30000',
      '30000 idle',
    ]);
  });

  it('is over once each part that failed has succeeded', () => {
    trouble.failed('a', 'unlock');
    trouble.succeeded('tryLock');
    expect(told).toEqual(['0 a first']);
    trouble.succeeded('unlock');
    expect(told).toEqual(['0 a first', '0 over: 1 in 0']);
  });

  it('that is dropped is not told of any more', () => {
    trouble.failed('a');
    trouble.failed('a');
    trouble.drop();
    clock.pass(2 * REPORT_INTERVAL_MS);
    expect(told).toEqual(['0 a first', '10000 idle']);
  });

  it('is told of at most twice in 10 s, loses no failure and needs one timer, whatever comes', () => {
    const step = fc.oneof(
      fc.constant('fail'),
      fc.constant('succeed'),
      fc.integer({ min: 1, max: 15_000 }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.boolean(), (steps, isPartial) => {
        clock = new ManualClock();
        const lines: { readonly atMs: number; readonly failures: number }[] = [];
        let ends = 0;
        const some = new Trouble({
          clock,
          isPartial,
          onFailing: ({ failures }) => lines.push({ atMs: clock.now(), failures }),
          onOver: () => (ends += 1),
        });
        for (const next of steps) {
          if (next === 'fail') some.failed('x');
          else if (next === 'succeed') some.succeeded();
          else clock.pass(next);
          expect(clock.timers).toBeLessThanOrEqual(1);
        }
        const apart = lines.slice(1).map(({ atMs }, index) => atMs - lines[index]!.atMs);
        expect(apart.every((ms) => ms >= REPORT_INTERVAL_MS)).toBe(true);
        expect(ends).toBeLessThanOrEqual(lines.length);
      }),
    );
  });
});
