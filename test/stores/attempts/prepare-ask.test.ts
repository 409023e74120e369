import { Cancellation } from '../../../src/base/cancellation';
import { StoreError } from '../../../src/lock/lock-store';
import { isWaitOver } from '../../../src/lock/store-abilities';
import { prepareAsk } from '../../../src/stores/attempts/prepare-ask';
import { FakeCommand, FakeRoom } from './fake-links';

const LIMITS = { tryTimeoutMs: 200, callTimeoutMs: 1000 };

describe('the preparation of an ask', () => {
  let room: FakeRoom;
  let command: FakeCommand;
  beforeEach(() => {
    room = new FakeRoom();
    command = new FakeCommand();
  });

  /** Prepares an ask of a waiter that has so much time left. */
  const prepare = (
    leftMs: number,
    openSession: () => string | Promise<string> = () => 'session',
    signal = new Cancellation(),
  ) => {
    const { attempts, clock } = room;
    const { attempt, leaseMs: ttlMs } = command;
    const call = { key: 'k', owner: 'a', attempt, ttlMs, waitUntilMs: clock.now() + leftMs };
    return prepareAsk(call, { attempts, clock, limits: LIMITS, signal, openSession });
  };
  const fail = (): Promise<string> =>
    Promise.reject(new StoreError('away', { kind: 'unavailable', outcome: 'not-applied' }));

  it.each([
    [5000, LIMITS],
    [300, { tryTimeoutMs: 200, callTimeoutMs: 300 }],
    // The link is not silent before 200 ms, and other calls use it.
    [20.7, { tryTimeoutMs: 200, callTimeoutMs: 20 }],
  ])(
    'limits a call of which %d ms are left, and leaves a send its own limit',
    async (leftMs, limits) => {
      await expect(prepare(leftMs)).resolves.toEqual({ session: 'session', limits });
    },
  );

  it.each([0.9, 0, -5])('opens and sends nothing with %d ms left', async (leftMs) => {
    const openSession = jest.fn(() => 'session');
    await expect(prepare(leftMs, openSession).catch(isWaitOver)).resolves.toBe(true);
    expect(openSession).not.toHaveBeenCalled();
  });

  it('sends nothing where the time is over once the session is open', async () => {
    const opening = prepare(100, async () => {
      await room.clock.passGently(99.5);
      return 'session';
    });
    await expect(opening.catch(isWaitOver)).resolves.toBe(true);
  });

  it('says that nothing was done where no session can be opened', async () => {
    await expect(prepare(5000, fail)).rejects.toMatchObject({ outcome: 'not-applied' });
  });

  it('says that nothing was done where the opening had an unknown outcome', async () => {
    const lost = new StoreError('no reply', { kind: 'deadline', outcome: 'unknown' });
    const failure = prepare(5000, () => Promise.reject(lost));
    await expect(failure).rejects.toMatchObject({ outcome: 'not-applied', message: 'no reply' });
  });

  it('waits for an opening only as long as its waiter does', async () => {
    const forever = (): Promise<string> => new Promise(() => undefined);
    const signal = new Cancellation();
    const [short, gone] = [prepare(100, forever), prepare(5000, forever, signal)];
    const ends = Promise.allSettled([short, gone]);
    signal.abort();
    await room.clock.passGently(200);
    const reason = { kind: 'deadline', outcome: 'not-applied' };
    await expect(ends).resolves.toMatchObject([{ reason }, { reason }]);
  });

  it('opens nothing for a caller that has left', async () => {
    const openSession = jest.fn(() => 'session');
    const signal = new Cancellation();
    signal.abort();
    await expect(prepare(5000, openSession, signal)).rejects.toMatchObject({ kind: 'deadline' });
    expect(openSession).not.toHaveBeenCalled();
  });

  describe('after an ask whose reply was lost', () => {
    beforeEach(async () => {
      await room.open();
      const answer = room.run(command);
      await room.clock.passGently(1000);
      await expect(answer).rejects.toMatchObject({ outcome: 'unknown' });
    });

    it('says that the outcome is unknown where no session can be opened', async () => {
      await expect(prepare(5000, fail)).rejects.toMatchObject({ outcome: 'unknown' });
    });

    it('says so too where the time is over', async () => {
      const failure = prepare(0).catch((error: unknown) => error);
      await expect(failure).resolves.toMatchObject({ outcome: 'unknown' });
      expect(isWaitOver(await failure)).toBe(false);
    });
  });
});
