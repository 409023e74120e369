import { StoreError } from '../../../src/lock/lock-store';
import { FakeCommand, type FakeLink, FakeRoom, Refusal, SERVER_AHEAD_MS } from './fake-links';

const FAR_AWAY_MS = 2 ** 31 * 1000;

describe('a withdrawal', () => {
  let room: FakeRoom;
  let link: FakeLink;
  beforeEach(async () => {
    room = new FakeRoom();
    link = await room.open();
  });
  afterEach(() => {
    expect(room.clock.timers).toBe(0);
  });

  const pass = (ms: number) => room.clock.passGently(ms);

  /** A call of which the caller has gone, and whose link ends then. */
  const leaveBehind = async (key = 'k', leaseMs = 60_000): Promise<FakeCommand> => {
    const command = new FakeCommand(key, leaseMs);
    const caller = new AbortController();
    const answer = room.run(command, caller.signal);
    caller.abort();
    await expect(answer).rejects.toMatchObject({ outcome: 'unknown' });
    room.linkFor(key)?.end(new Error('cut'));
    await pass(0);
    return command;
  };

  /** Withdraws, and notes when it has ended and how. */
  const withdraw = (command: FakeCommand) => {
    const end: { error?: unknown; atMs?: number } = {};
    const settle = (error?: unknown) => {
      Object.assign(end, { error, atMs: room.clock.now() });
    };
    room.attempts.withdraw(command).then(() => {
      settle();
    }, settle);
    return end;
  };

  it('is sent at once, with the latest time of its sends, and ends with the reply', async () => {
    const command = new FakeCommand();
    const answer = room.run(command);
    link.last.reply('granted');
    await answer;
    const end = withdraw(command);
    expect(link.last).toMatchObject({ what: 'undo k', markUntilMs: SERVER_AHEAD_MS + 200 });
    expect(end.atMs).toBeUndefined();
    link.last.reply('withdrawn');
    await pass(0);
    expect(end).toEqual({ error: undefined, atMs: 0 });
    expect(room.withdrawn).toBe(1);
  });

  it('goes over a new link before any call', async () => {
    const end = withdraw(await leaveBehind());
    const call = room.run(new FakeCommand('k2'));
    const next = await room.open();
    await pass(0);
    expect(next.sends.map(({ what }) => what)).toEqual(['undo k', 'k2']);
    for (const { reply } of next.sends) reply('refused');
    await call;
    await pass(0);
    expect(end.atMs).toBe(0);
  });

  it('is sent over one new link after another until one answers', async () => {
    const end = withdraw(await leaveBehind());
    const silent = await room.open();
    await pass(200);
    expect(silent.endReason?.message).toBe('Fake did not reply within 200 ms');
    const next = await room.open();
    next.last.reply('withdrawn');
    await pass(0);
    expect(end.atMs).toBe(200);
  });

  it('goes over its own link only', async () => {
    const end = withdraw(await leaveBehind());
    const other = await room.open('o');
    expect(other.sends).toEqual([]);
    const own = await room.open('k');
    own.last.reply('withdrawn');
    await pass(0);
    expect(end.atMs).toBe(0);
  });

  it('ends by itself when the last send and its lease are over', async () => {
    const end = withdraw(await leaveBehind('k', 5000));
    await pass(5199);
    expect(end.atMs).toBeUndefined();
    await pass(1);
    expect(end).toEqual({ error: undefined, atMs: 5200 });
  });

  it('ends by itself however long the lease is', async () => {
    const end = withdraw(await leaveBehind('k', FAR_AWAY_MS));
    await pass(FAR_AWAY_MS + 199);
    expect(end.atMs).toBeUndefined();
    await pass(1);
    expect(end.atMs).toBe(FAR_AWAY_MS + 200);
  });

  it('is sent again after a pause where the server does not run it now', async () => {
    const end = withdraw(await leaveBehind());
    const next = await room.open();
    next.last.fail(new Refusal('unavailable'));
    await pass(99);
    expect(next.sends).toHaveLength(1);
    await pass(1);
    next.last.reply('withdrawn');
    await pass(0);
    expect(end.atMs).toBe(100);
  });

  it('does not end the link of a server that takes no writes, as its successor may be the same', async () => {
    const end = withdraw(await leaveBehind());
    const next = await room.open();
    next.last.fail(new Refusal('read-only'));
    await pass(100);
    expect(next.endReason).toBeUndefined();
    next.last.reply('withdrawn');
    await pass(0);
    expect(end.atMs).toBe(100);
  });

  it('ends, and is told of, where the server will never run it', async () => {
    const end = withdraw(await leaveBehind());
    (await room.open()).last.fail(new Refusal('rejected'));
    await pass(0);
    expect(end).toEqual({ error: undefined, atMs: 0 });
    expect(room.logger.messages('warn')).toEqual([
      "A lock attempt can't be withdrawn: the server says rejected",
    ]);
  });

  it('ends a link that answers what is no answer, and goes on over the next', async () => {
    const end = withdraw(await leaveBehind());
    const garbled = await room.open();
    garbled.last.fail(new StoreError('no answer', { kind: 'protocol', outcome: 'unknown' }));
    await pass(0);
    expect(garbled.endReason?.message).toBe('no answer');
    (await room.open()).last.reply('withdrawn');
    await pass(0);
    expect(end.atMs).toBe(0);
  });

  it('has nothing to do for an attempt that was never sent', async () => {
    await room.attempts.withdraw(new FakeCommand());
    expect([link.sends, room.withdrawn]).toEqual([[], 0]);
  });

  describe('at the close of the store', () => {
    it('gets its end, after that of the calls in flight; no other call is taken', async () => {
      const command = new FakeCommand();
      const caller = new AbortController();
      const call = room.run(command, caller.signal);
      room.attempts.close();
      await expect(room.run(new FakeCommand('k2'))).rejects.toMatchObject({ kind: 'closed' });
      let isSettled = false;
      void room.attempts.whenSettled().then(() => {
        isSettled = true;
      });
      link.end(new Error('cut'));
      caller.abort();
      await expect(call).rejects.toMatchObject({ outcome: 'unknown' });
      const end = withdraw(command);
      await pass(0);
      expect(isSettled).toBe(false);
      (await room.open()).last.reply('withdrawn');
      await pass(0);
      expect([isSettled, end.error]).toEqual([true, undefined]);
    });

    it('leaves a call that was sent before, and is sent again after it, of unknown outcome', async () => {
      const command = await leaveBehind();
      room.attempts.close();
      await expect(room.run(command)).rejects.toMatchObject({ kind: 'closed', outcome: 'unknown' });
    });

    it('is given up where the time is over, and what may be left is told', async () => {
      const end = withdraw(await leaveBehind());
      const next = await room.open();
      const call = room.run(new FakeCommand('k1'));
      room.attempts.close();
      room.attempts.abandon();
      await pass(0);
      expect(end.error).toMatchObject({ kind: 'closed', outcome: 'unknown' });
      expect(room.logger.messages('warn')).toEqual([
        '1 withdrawn lock attempts were not confirmed by Fake; their locks may exist for another 61 s',
        '1 lock calls in flight were cut off; the locks that they took stay until they expire',
      ]);
      next.end(new Error('the store was closed'));
      await pass(1000);
      await expect(call).rejects.toMatchObject({ outcome: 'unknown' });
    });
  });
});
