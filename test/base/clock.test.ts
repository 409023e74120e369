import { processClock } from '../../src/base/clock';

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Jest's timers lack what Node's have. */
function giveTimersClose(): void {
  const start = globalThis.setTimeout;
  const startWithClose = (run: () => void, delayMs?: number) => {
    const timer = start(run, delayMs);
    return Object.assign(timer, {
      close: () => {
        clearTimeout(timer);
      },
    });
  };
  jest.spyOn(globalThis, 'setTimeout').mockImplementation(startWithClose);
}

describe('processClock', () => {
  beforeEach(() => {
    jest.useFakeTimers();
    giveTimersClose();
  });
  afterEach(() => {
    jest.restoreAllMocks();
    jest.useRealTimers();
  });

  it.each([100, LONGEST_TIMER_MS, LONGEST_TIMER_MS + 1, 3 * LONGEST_TIMER_MS + 7])(
    'runs something once, %d ms later and not before',
    (delayMs) => {
      const run = jest.fn();
      processClock.after(delayMs, run);
      jest.advanceTimersByTime(delayMs - 1);
      expect(run).not.toHaveBeenCalled();
      jest.advanceTimersByTime(1);
      expect(run).toHaveBeenCalledTimes(1);
      expect(jest.getTimerCount()).toBe(0);
    },
  );

  it.each([-5, 0, 0.2])('runs something as soon as possible after %d ms', (delayMs) => {
    const run = jest.fn();
    processClock.after(delayMs, run);
    expect(run).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(run).toHaveBeenCalledTimes(1);
  });

  it('never runs what is due after an infinite time', () => {
    const run = jest.fn();
    const timer = processClock.after(Infinity, run);
    jest.advanceTimersByTime(3 * LONGEST_TIMER_MS);
    timer.close();
    expect(run).not.toHaveBeenCalled();
    expect(jest.getTimerCount()).toBe(0);
  });

  it.each([100, 3 * LONGEST_TIMER_MS])('forgets a timer of %d ms that is cancelled', (delayMs) => {
    const run = jest.fn();
    const timer = processClock.after(delayMs, run);
    jest.advanceTimersByTime(delayMs - 1);
    timer.close();
    jest.advanceTimersByTime(delayMs);
    expect(run).not.toHaveBeenCalled();
    expect(jest.getTimerCount()).toBe(0);
  });

  it.each([100, 3 * LONGEST_TIMER_MS])(
    'holds up the end of the process unless told: %d ms',
    (delayMs) => {
      jest.restoreAllMocks();
      jest.useRealTimers();
      const started = jest.spyOn(globalThis, 'setTimeout');
      const timer = processClock.after(delayMs, () => undefined);
      const value = started.mock.results[0]?.value as NodeJS.Timeout;
      started.mockRestore();
      expect(value.hasRef()).toBe(true);
      timer.unref();
      expect(value.hasRef()).toBe(false);
      timer.close();
    },
  );
});
