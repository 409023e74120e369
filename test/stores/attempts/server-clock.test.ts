import { ServerClock } from '../../../src/stores/attempts/server-clock';
import { ManualClock } from '../../support/manual-clock';

describe('a clock of a server', () => {
  let clock: ManualClock;
  let replies: ((serverMs: number) => void)[];
  const ask = () =>
    new Promise<number>((resolve) => {
      replies.push(resolve);
    });
  beforeEach(() => {
    clock = new ManualClock();
    replies = [];
  });

  /** A clock that was read at once from a server that is so far ahead. */
  const read = async (serverMs: number): Promise<ServerClock> => {
    const reading = ServerClock.of({ ask, clock });
    replies.pop()?.(serverMs);
    return reading;
  };

  it('is never ahead of the true one, however long the reply was on its way', async () => {
    const reading = ServerClock.of({ ask, clock });
    await clock.passGently(100);
    replies.pop()?.(5000);
    // The server said 5000 at some moment of the last 100 ms.
    expect((await reading).at(100)).toBe(5000);
  });

  it('says whole milliseconds, rounded down', async () => {
    expect((await read(5000)).at(0.9)).toBe(5000);
  });

  it('is read again where the last reading is older than 30 s, and serves meanwhile', async () => {
    const server = await read(5000);
    await clock.passGently(30_000);
    expect(server.at(30_000)).toBe(35_000);
    expect(replies).toHaveLength(0);
    await clock.passGently(1);
    expect(server.at(30_001)).toBe(35_001);
    replies.pop()?.(36_000);
    await clock.passGently(0);
    expect(server.at(30_001)).toBe(36_000);
  });

  it('is asked once by all who read it at the same time', async () => {
    const server = await read(5000);
    const readings = [server.read(), server.read()];
    expect(replies).toHaveLength(1);
    replies.pop()?.(6000);
    await Promise.all(readings);
  });

  it('can be read again after a question that failed', async () => {
    let isAway = true;
    const failing = (): Promise<number> =>
      isAway ? Promise.reject(new Error('away')) : Promise.resolve(7000);
    await expect(ServerClock.of({ ask: failing, clock })).rejects.toThrow('away');
    isAway = false;
    await expect(ServerClock.of({ ask: failing, clock })).resolves.toBeInstanceOf(ServerClock);
  });
});
