import { movedAway, onTheMove } from '../../../src/stores/attempts/elsewhere';
import { FakeCommand, type FakeLink, FakeRoom } from './fake-links';

const moved = () => movedAway('it is on another server', undefined);
const moving = () => onTheMove('it is being moved', undefined);

describe('a key that changes servers', () => {
  let room: FakeRoom;
  let first: FakeLink;
  let second: FakeLink;
  beforeEach(async () => {
    room = new FakeRoom();
    first = await room.open('k');
    second = await room.open('other');
  });
  afterEach(() => {
    expect(room.clock.timers).toBe(0);
  });

  const pass = (ms: number) => room.clock.passGently(ms);

  it('is followed at once, with the next send of the attempt', async () => {
    const answer = room.run(new FakeCommand());
    room.move('k', second);
    first.last.fail(moved());
    await pass(0);
    expect(second.last.stamp).toMatchObject({ number: 1 });
    second.last.reply('granted');
    await expect(answer).resolves.toBe('granted');
  });

  it('is followed after a pause if it has moved again', async () => {
    const answer = room.run(new FakeCommand());
    room.move('k', second);
    first.last.fail(moved());
    await pass(0);
    room.move('k', first);
    second.last.fail(moved());
    await pass(49);
    expect(first.sends).toHaveLength(1);
    await pass(1);
    first.last.reply('granted');
    await expect(answer).resolves.toBe('granted');
  });

  it('is waited for while it is being moved, for as long as the call has time', async () => {
    const answer = room.run(new FakeCommand());
    for (let atMs = 0; atMs < 1000; atMs += 50) {
      first.last.fail(moving());
      await pass(50);
    }
    await expect(answer).rejects.toMatchObject({ kind: 'unavailable', outcome: 'not-applied' });
    expect(first.sends).toHaveLength(20);
  });

  it('is not waited for by a caller who has left', async () => {
    const caller = new AbortController();
    const answer = room.run(new FakeCommand(), caller.signal);
    caller.abort();
    first.last.fail(moving());
    await expect(answer).rejects.toMatchObject({ outcome: 'unknown' });
    expect(first.sends).toHaveLength(1);
  });

  describe('with an attempt that is withdrawn', () => {
    const withdrawn = async (): Promise<{ readonly isOver: boolean }> => {
      const command = new FakeCommand();
      const answer = room.run(command);
      first.last.reply('granted');
      await answer;
      const end = { isOver: false };
      void room.attempts.withdraw(command).then(() => {
        end.isOver = true;
      });
      return end;
    };

    it('is looked for where it is now', async () => {
      const end = await withdrawn();
      room.move('k', second);
      first.last.fail(moved());
      await pass(100);
      expect(second.last.what).toBe('undo k');
      second.last.reply('withdrawn');
      await pass(0);
      expect(end.isOver).toBe(true);
    });

    it('is not looked for twice if its new link was told before', async () => {
      await withdrawn();
      const undo = first.last;
      room.move('k', second);
      room.attempts.resend(second);
      undo.fail(moving());
      await pass(100);
      expect(second.sends.map(({ what }) => what)).toEqual(['undo k']);
      second.last.reply('withdrawn');
      await pass(0);
    });
  });
});
