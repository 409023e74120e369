import { StoreError } from '../../../src/lock/lock-store';
import {
  createReading,
  FakeCommand,
  type FakeLink,
  FakeRoom,
  Refusal,
  SERVER_AHEAD_MS,
} from './fake-links';

describe('an attempt', () => {
  let room: FakeRoom;
  let link: FakeLink;
  let command: FakeCommand;
  beforeEach(async () => {
    room = new FakeRoom();
    link = await room.open();
    command = new FakeCommand();
  });
  afterEach(() => {
    expect(room.clock.timers).toBe(0);
  });

  const pass = (ms: number) => room.clock.passGently(ms);

  /** Lets a send go without its reply, and opens the next link. */
  const loseReply = async (): Promise<FakeLink> => {
    await pass(200);
    return room.open();
  };

  it('is answered by the reply to its first send', async () => {
    const answer = room.run(command);
    link.last.reply('granted');
    await expect(answer).resolves.toBe('granted');
    expect(link.sends).toHaveLength(1);
  });

  it('is sent with its number and its times, on the clock of the server', async () => {
    const answer = room.run(command);
    expect(link.last.stamp).toEqual({
      number: 0,
      notAfterMs: SERVER_AHEAD_MS + 200,
      // Its clock may be ahead of what is known of it: by a part of a millisecond, and by its drift.
      markUntilMs: SERVER_AHEAD_MS + 1002,
    });
    link.last.reply('refused');
    await answer;
  });

  it('is sent again over the next link, under its next number, where the reply is lost', async () => {
    const answer = room.run(command);
    const next = await loseReply();
    expect(link.endReason?.message).toBe('Fake did not reply within 200 ms');
    await pass(0);
    expect(next.last.stamp).toMatchObject({ number: 1, notAfterMs: SERVER_AHEAD_MS + 400 });
    next.last.reply('granted');
    await expect(answer).resolves.toBe('granted');
  });

  it('counts its sends on where it is run again', async () => {
    const first = room.run(command);
    link.last.reply('refused');
    await first;
    const second = room.run(command);
    expect(link.last.stamp?.number).toBe(1);
    link.last.reply('refused');
    await second;
  });

  it('never says that it did nothing once a send was lost, though a later one was answered', async () => {
    const first = room.run(command);
    const next = await loseReply();
    await pass(0);
    next.last.reply('queued');
    await expect(first).resolves.toBe('queued');
    // The first send may have been granted a lease, which ended before the second one came.
    const second = room.run(command);
    next.last.fail(new Refusal('rejected'));
    await expect(second).rejects.toMatchObject({ kind: 'rejected', outcome: 'unknown' });
  });

  it('is sent again after the clock was read where it came too late', async () => {
    const answer = room.run(command);
    await pass(50);
    link.last.reply('stale');
    await pass(0);
    expect(link.timesRead).toBe(1);
    expect(link.last.stamp).toMatchObject({ number: 1, notAfterMs: SERVER_AHEAD_MS + 250 });
    link.last.reply('granted');
    await expect(answer).resolves.toBe('granted');
  });

  it('holds nothing where a withdrawal came first', async () => {
    const answer = room.run(command);
    link.last.reply('superseded');
    await expect(answer).rejects.toMatchObject({
      kind: 'rejected',
      outcome: 'not-applied',
      message: 'the attempt was withdrawn',
    });
  });

  it('does not hand out a lease that is over when the reply comes, and is sent again', async () => {
    command = new FakeCommand('k', 100);
    const answer = room.run(command);
    await pass(100);
    link.last.reply('granted');
    await pass(0);
    expect(link.sends).toHaveLength(2);
    link.last.reply('granted');
    await expect(answer).resolves.toBe('granted');
  });

  it('says until when a lock may exist where no reply came in all its time', async () => {
    const answer = room.run(command);
    for (let send = 0; send < 5; send += 1) await loseReply();
    await expect(answer).rejects.toMatchObject({
      kind: 'deadline',
      outcome: 'unknown',
      message: `Fake did not reply within 200 ms, the outcome is unknown: a lock may exist until ${new Date(SERVER_AHEAD_MS + 1000 + 60_000).toISOString()} at the latest`,
    });
  });

  it('is not sent again where nothing bounds the first send', async () => {
    link = await room.open('k', { hasClock: false });
    const answer = room.run(command);
    expect(link.last.stamp).toBeUndefined();
    const next = await loseReply();
    await expect(answer).rejects.toMatchObject({
      outcome: 'unknown',
      message: expect.stringContaining('counted from when Fake granted it') as unknown,
    });
    await room.attempts.withdraw(command);
    expect(next.sends).toEqual([]);
  });

  it('fails at once where it was not sent', async () => {
    link.end(new Error('cut'));
    const answer = room.run(command);
    await pass(200);
    await expect(answer).rejects.toMatchObject({ outcome: 'not-applied' });
  });

  it.each(['unavailable', 'rejected'] as const)(
    'fails at once where its first send is answered by %s',
    async (kind) => {
      const answer = room.run(command);
      link.last.fail(new Refusal(kind));
      await expect(answer).rejects.toMatchObject({ kind, outcome: 'not-applied' });
    },
  );

  it('asks again after a pause where a server that was silent does not serve yet', async () => {
    const answer = room.run(command);
    const next = await loseReply();
    await pass(0);
    next.last.fail(new Refusal('unavailable'));
    await pass(49);
    expect(next.sends).toHaveLength(1);
    await pass(1);
    expect(next.sends).toHaveLength(2);
    next.last.reply('refused');
    await expect(answer).resolves.toBe('refused');
  });

  it('leaves a link that is of no use though it answers', async () => {
    const answer = room.run(command);
    link.last.fail(new Refusal('read-only'));
    await expect(answer).rejects.toBeInstanceOf(StoreError);
    expect(link.endReason).toBeInstanceOf(Refusal);
  });

  it('is over when its caller goes, and its silent link in its own time', async () => {
    const caller = new AbortController();
    const answer = room.run(command, caller.signal);
    await pass(50);
    caller.abort();
    await expect(answer).rejects.toMatchObject({
      outcome: 'unknown',
      reason: 'the caller is no longer waiting',
    });
    expect(link.endReason).toBeUndefined();
    await pass(150);
    expect(link.endReason?.message).toBe('Fake did not reply within 200 ms');
  });

  it('leaves the link to others where its own time is shorter than a reply may take', async () => {
    const hurried = { tryTimeoutMs: 200, callTimeoutMs: 40 };
    const { signal } = new AbortController();
    const answer = room.attempts.run(command, hurried, signal).catch((error: unknown) => error);
    await pass(50);
    await expect(answer).resolves.toMatchObject({ kind: 'deadline', outcome: 'unknown' });
    await pass(140);
    expect(link.endReason).toBeUndefined();
    await pass(20);
    expect(link.endReason?.message).toBe('Fake did not reply within 200 ms');
  });

  it('leaves a link that answers, however hurried a call on it was', async () => {
    const hurried = { tryTimeoutMs: 200, callTimeoutMs: 40 };
    const { signal } = new AbortController();
    const answer = room.attempts.run(command, hurried, signal).catch((error: unknown) => error);
    await pass(50);
    await answer;
    link.last.reply('late');
    await pass(300);
    expect(link.endReason).toBeUndefined();
  });

  it('is not sent for a caller who has gone', async () => {
    await expect(room.run(command, AbortSignal.abort())).rejects.toMatchObject({
      outcome: 'not-applied',
    });
    expect(link.sends).toEqual([]);
  });

  describe('whose answer needs the traces of a lost send', () => {
    const answerWith = async (epochNow: string | undefined): Promise<unknown> => {
      const answer = room.run(command).catch((error: unknown) => error);
      const next = await loseReply();
      next.epochNow = epochNow;
      await pass(0);
      next.last.reply('nothing');
      await pass(200);
      return answer;
    };

    it('has it where the data is that of the lost send', async () => {
      await expect(answerWith('first life')).resolves.toBe('nothing');
    });

    it.each([['is another'], [undefined]])(
      'is unknown where the life of the data %s',
      async (epochNow) => {
        await expect(answerWith(epochNow)).resolves.toMatchObject({
          kind: 'unavailable',
          outcome: 'unknown',
          message: 'Fake was restarted or flushed before it replied, the outcome is unknown',
        });
      },
    );

    it('is unknown where another life has answered, whatever the link that came after it says', async () => {
      const answer = room.run(command).catch((error: unknown) => error);
      const next = await loseReply();
      next.epochNow = 'another life';
      await pass(0);
      await room.open();
      next.last.reply('nothing');
      await pass(200);
      await expect(answer).resolves.toMatchObject({ kind: 'unavailable', outcome: 'unknown' });
    });

    it('has it at once where no send was lost', async () => {
      link.epochNow = 'another life';
      const answer = room.run(command);
      link.last.reply('nothing');
      await expect(answer).resolves.toBe('nothing');
    });
  });

  describe('that changes nothing', () => {
    const limits = { tryTimeoutMs: 200, callTimeoutMs: 1000 };
    const read = () => {
      const answer = room.attempts.run(createReading(), limits, new AbortController().signal);
      answer.catch(() => undefined);
      return answer;
    };

    it('takes no stamp, and is sent again where the reply is lost, whatever the clock', async () => {
      link = await room.open('k', { hasClock: false });
      const answer = read();
      const next = await loseReply();
      await pass(0);
      expect(next.last).toMatchObject({ what: 'read k', stamp: undefined });
      next.last.reply('held');
      await expect(answer).resolves.toBe('held');
    });

    it('has applied nothing where no reply came in all its time', async () => {
      const answer = read();
      for (let send = 0; send < 5; send += 1) await loseReply();
      await expect(answer).rejects.toMatchObject({
        outcome: 'not-applied',
        message: 'Fake did not reply within 200 ms',
      });
    });
  });
});

describe('two links', () => {
  it('carry the keys that are theirs, and the end of the one leaves the other alone', async () => {
    const room = new FakeRoom();
    const [one, other] = [await room.open('a'), await room.open('b')];
    const lost = room.run(new FakeCommand('a1'));
    const held = room.run(new FakeCommand('b1'));
    await room.clock.passGently(100);
    other.last.reply('granted');
    await expect(held).resolves.toBe('granted');
    await room.clock.passGently(100);
    expect([one.endReason, other.endReason]).toEqual([expect.any(Error), undefined]);
    const again = await room.open('a');
    await room.clock.passGently(0);
    expect(again.last).toMatchObject({ what: 'a1', stamp: { number: 1 } });
    again.last.reply('refused');
    await expect(lost).resolves.toBe('refused');
    expect(other.sends).toHaveLength(1);
  });
});
