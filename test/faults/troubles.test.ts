import type { FaultWindow } from './history';
import { Troubles } from './troubles';

const fault = (
  kind: string,
  [fromMs, toMs]: readonly [number, number],
  more: Partial<FaultWindow> = {},
): FaultWindow => ({ kind, fromMs, toMs, losesData: false, ...more });

const of = (...faults: readonly FaultWindow[]) =>
  new Troubles({ faults, sendWaitsMs: [undefined, 150] });

describe('what troubles can explain', () => {
  it.each<[string, FaultWindow, number, number, boolean]>([
    ['a fault in its time', fault('connection cut', [100, 200]), 150, 0, true],
    ['a fault until a second after it', fault('connection cut', [100, 200]), 1190, 0, true],
    ['no fault later', fault('connection cut', [100, 200]), 1210, 0, false],
    ['no fault before', fault('connection cut', [100, 200]), 90, 0, false],
    ['no fault of another sidecar', fault('delay', [100, 200], { sidecar: 1 }), 150, 0, false],
    ['no loss of scripts', fault('SCRIPT FLUSH', [100, 200]), 150, 0, false],
    ['swallowed bytes as long as a send waits', fault('half-open', [100, 200]), 4190, 0, true],
    ['those of a hasty sidecar no longer', fault('half-open', [100, 200]), 1400, 1, false],
  ])('is %s', (_name, each, atMs, sidecar, isNear) => {
    expect(of(each).meets({ fromMs: atMs, toMs: atMs, sidecar })).toBe(isNear);
  });

  it('is, of a fault that hits only some locks, what happens to these', () => {
    const concerns = (key: string): boolean => key === 'k';
    const troubles = of(fault('master paused', [1000, 2000], { concerns }));
    const isNear = (key?: string) =>
      troubles.meets({ fromMs: 1500, toMs: 1500, sidecar: 0, ...(key && { key }) });
    expect([isNear('k'), isNear('other'), isNear()]).toEqual([true, false, true]);
    expect(troubles.dueAtMs(1500, 100, { sidecar: 0, key: 'k' })).toBe(3100);
    expect(troubles.dueAtMs(1500, 100, { sidecar: 0, key: 'other' })).toBe(1600);
  });

  it('is lateness by no more than a sidecar stood still', () => {
    const troubles = of(
      fault('sidecar paused', [100, 400], { sidecar: 0 }),
      fault('sidecar paused', [600, 700], { sidecar: 1 }),
      fault('Redis paused', [0, 1000]),
    );
    expect(troubles.stoodStillMs({ fromMs: 200, toMs: 900, sidecar: 0 })).toBe(200);
    expect(troubles.stoodStillMs({ fromMs: 0, toMs: 900, sidecar: 1 })).toBe(100);
    expect(troubles.stoodStillMs({ fromMs: 450, toMs: 550, sidecar: 0 })).toBe(0);
  });

  it('puts off what is due until there is time for it without trouble', () => {
    const troubles = of(fault('delay', [100, 200]), fault('delay', [1500, 1600]));
    expect(troubles.dueAtMs(-2000, 1000, { sidecar: 0 })).toBe(-1000);
    expect(troubles.dueAtMs(0, 1000, { sidecar: 0 })).toBe(3600);
    expect(troubles.dueAtMs(5000, 1000, { sidecar: 0 })).toBe(6000);
  });
});

describe('tickets', () => {
  const droppedIn = (troubles: Troubles, times: readonly number[]) =>
    times.map((atMs) => troubles.mayBeDropped(atMs, { sidecar: 0 }));

  it('stand where nothing is wrong, and through every fault that is shorter than they live', () => {
    expect(droppedIn(of(), [0, 10_000])).toEqual([false, false]);
    const short = of(
      fault('Redis paused', [1000, 1900]),
      fault('connections refused', [5000, 5400]),
    );
    expect(droppedIn(short, [900, 1500, 2800, 5300, 6500])).toEqual(Array(5).fill(false));
  });

  it('may lapse when their sidecar was cut off for that long, until it has asked again', () => {
    const cut = of(fault('sidecar paused', [1000, 4500]));
    // The last refresh may be 800 ms before the fault; clocks are 150 ms apart.
    expect(droppedIn(cut, [3000, 3100, 5000, 7700, 7900])).toEqual([
      false,
      true,
      true,
      true,
      false,
    ]);
  });

  it('may lapse by many short faults without a pause for a refresh between them', () => {
    const faults = [0, 1, 2, 3].map((n) => fault('delay', [1000 + n * 1500, 1200 + n * 1500]));
    expect(droppedIn(of(...faults), [4000])).toEqual([true]);
  });

  it('of other locks than those that a fault hit stand', () => {
    const concerns = (key: string): boolean => key === 'k';
    const lost = of(fault('replica promoted', [1000, 2000], { losesData: true, concerns }));
    const isDropped = (key: string) => lost.mayBeDropped(1500, { sidecar: 0, key });
    expect([isDropped('k'), isDropped('other')]).toEqual([true, false]);
  });

  it('are gone with the data, until they have been asked for again', () => {
    const lost = of(fault('FLUSHALL', [1000, 1001], { losesData: true }));
    expect(droppedIn(lost, [800, 1000, 3000, 4400])).toEqual([false, true, true, false]);
  });
});
