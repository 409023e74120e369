import { getEventListeners, getMaxListeners } from 'node:events';

import { Cancellation } from '../../src/base/cancellation';
import { pauseWithin, race, runWithin, whenOver } from '../../src/base/race';
import { ManualClock } from '../support/manual-clock';

const never = () => new Promise<never>(() => undefined);
const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));
const abortedSignal = () => AbortSignal.abort('gone');

describe('race', () => {
  let clock: ManualClock;
  let controller: AbortController;
  const limit = () => ({ afterMs: 100, signals: [controller.signal], clock });
  const expectNothingLeft = () => {
    expect(clock.timers).toBe(0);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  };

  beforeEach(() => {
    clock = new ManualClock();
    controller = new AbortController();
  });

  describe('race(work, limit, otherwise)', () => {
    const otherwise = (aborted: unknown) => (aborted === undefined ? 'late' : 'aborted');
    const endings = [
      ['work that succeeds', 'done', () => Promise.resolve('done'), () => undefined],
      [
        'time that runs out',
        'late',
        never,
        () => {
          clock.pass(100);
        },
      ],
      [
        'a signal that aborts',
        'aborted',
        never,
        () => {
          controller.abort();
        },
      ],
    ] as const;

    it.each(endings)('gives the result of %s: %s', async (_name, result, work, end) => {
      const raced = race<string, string>(work(), limit(), otherwise);
      end();
      await expect(raced).resolves.toBe(result);
      expectNothingLeft();
    });

    it('rejects as the work does', async () => {
      const raced = race(Promise.reject(new Error('broken')), limit(), otherwise);
      await expect(raced).rejects.toThrow('broken');
      expectNothingLeft();
    });

    it('rejects with what `otherwise` throws', async () => {
      const raced = race(never(), limit(), () => {
        throw new Error('too late');
      });
      clock.pass(100);
      await expect(raced).rejects.toThrow('too late');
      expectNothingLeft();
    });

    it('does not end before its time', async () => {
      const ended = jest.fn();
      void race(never(), limit(), otherwise).then(ended);
      clock.pass(99);
      await nextTurn();
      expect(ended).not.toHaveBeenCalled();
    });

    it('ends at once where a signal has aborted already, and starts no timer', async () => {
      const signals = [controller.signal, abortedSignal()];
      const raced = race(never(), { afterMs: 100, signals, clock }, otherwise);
      expectNothingLeft();
      await expect(raced).resolves.toBe('aborted');
    });

    it.each([
      ['succeeded', () => Promise.resolve('done'), 'done'],
      ['failed', () => Promise.reject(new Error('broken')), new Error('broken')],
    ])(
      'counts work that has %s though a signal has aborted already',
      async (_how, work, result) => {
        const raced = race(work(), { signals: [abortedSignal()] }, otherwise);
        await expect(raced.catch((error: unknown) => error)).resolves.toEqual(result);
      },
    );

    it('leaves no time to work that waits where the time is zero', async () => {
      const raced = race(nextTurn(), { afterMs: 0, clock }, otherwise);
      clock.pass(0);
      await expect(raced).resolves.toBe('late');
    });

    it('waits for ever without a limit', async () => {
      const work = nextTurn().then(() => 'done');
      await expect(race(work, {}, otherwise)).resolves.toBe('done');
    });

    it('drops the failure of work that comes too late', async () => {
      const unhandled = jest.fn();
      process.on('unhandledRejection', unhandled);
      let fail: (error: Error) => void = () => undefined;
      const work = new Promise<never>((_resolve, reject) => {
        fail = reject;
      });
      const raced = race(work, limit(), otherwise);
      controller.abort();
      await raced;
      fail(new Error('too late'));
      await nextTurn();
      process.off('unhandledRejection', unhandled);
      expect(unhandled).not.toHaveBeenCalled();
    });

    it('takes a Cancellation for a signal', async () => {
      const cancellation = new Cancellation();
      const raced = race(never(), { signals: [cancellation] }, (aborted) => aborted?.reason);
      cancellation.abort('hung up');
      await expect(raced).resolves.toBe('hung up');
    });
  });

  describe('whenOver(limit, onOver)', () => {
    it('calls back once, whatever comes after', () => {
      const onOver = jest.fn();
      whenOver(limit(), onOver);
      clock.pass(100);
      controller.abort();
      expect(onOver.mock.calls).toEqual([[undefined]]);
      expectNothingLeft();
    });

    it('names the signal that aborted', () => {
      const other = new AbortController();
      const onOver = jest.fn();
      whenOver({ signals: [controller.signal, other.signal] }, onOver);
      other.abort();
      expect(onOver.mock.calls).toEqual([[other.signal]]);
      expectNothingLeft();
    });

    it('calls back no more once it was released', () => {
      const onOver = jest.fn();
      const release = whenOver(limit(), onOver);
      release();
      expectNothingLeft();
      clock.pass(100);
      controller.abort();
      expect(onOver).not.toHaveBeenCalled();
    });
  });

  describe('runWithin(limit, run)', () => {
    it('gives what was run to the end, and no signal', async () => {
      let given: AbortSignal | undefined;
      const result = runWithin(limit(), (over) => {
        given = over;
        return Promise.resolve('done');
      });
      await expect(result).resolves.toBe('done');
      clock.pass(100);
      expect(given?.aborted).toBe(false);
      expectNothingLeft();
    });

    it('aborts with the reason of the signal', async () => {
      const run = (over: AbortSignal) =>
        race(never(), { signals: [over] }, (aborted) => aborted?.reason);
      const result = runWithin(limit(), run);
      controller.abort('hung up');
      await expect(result).resolves.toBe('hung up');
      expectNothingLeft();
    });

    it('aborts with a TimeoutError when the time runs out', async () => {
      const run = (over: AbortSignal) =>
        race(never(), { signals: [over] }, (aborted) => aborted?.reason);
      const result = runWithin(limit(), run);
      clock.pass(100);
      await expect(result).resolves.toMatchObject({ name: 'TimeoutError' });
    });

    it('begins under an aborted signal where one has aborted already', async () => {
      const run = (over: AbortSignal) => Promise.resolve(over.aborted);
      await expect(runWithin({ signals: [abortedSignal()] }, run)).resolves.toBe(true);
    });

    it('lets any number of listeners wait for its signal, without a warning of Node', async () => {
      const run = (over: AbortSignal) => Promise.resolve(getMaxListeners(over));
      await expect(runWithin(limit(), run)).resolves.toBe(Infinity);
    });

    it('gives the limit back where what it runs fails', async () => {
      const result = runWithin(limit(), () => Promise.reject(new Error('broken')));
      await expect(result).rejects.toThrow('broken');
      expectNothingLeft();
    });
  });

  describe('pauseWithin(limit)', () => {
    it.each([
      [
        'its time',
        () => {
          clock.pass(100);
        },
      ],
      [
        'a signal',
        () => {
          controller.abort();
        },
      ],
    ])('ends with %s', async (_name, end) => {
      const paused = pauseWithin(limit());
      end();
      await expect(paused).resolves.toBeUndefined();
      expectNothingLeft();
    });
  });
});
