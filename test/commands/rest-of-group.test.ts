import { setTimeout as pause } from 'node:timers/promises';

import { endRest, type RestOfGroup } from '../../src/commands/run/rest-of-group';
import { eventually } from '../support/eventually';

/** A group that dies of no signal, as one of another user. */
class ForeignGroup implements RestOfGroup {
  readonly id = 7;
  isAlive = true;
  readonly signals: string[] = [];

  signal(name: string): boolean {
    this.signals.push(name);
    return false;
  }

  async whenEmpty(withinMs: number, signals: readonly AbortSignal[] = []): Promise<boolean> {
    if (withinMs < Infinity) return !this.isAlive;
    while (this.isAlive && !signals.some(({ aborted }) => aborted)) await pause(1);
    return !this.isAlive;
  }
}

describe('processes that can’t be ended', () => {
  let group: ForeignGroup;
  let lost: AbortController;
  let asked: AbortController;
  let said: string[];
  let isOver: boolean;

  beforeEach(async () => {
    group = new ForeignGroup();
    lost = new AbortController();
    asked = new AbortController();
    said = [];
    isOver = false;
    const nextAsk = () => asked.signal;
    const say = (line: string) => said.push(line);
    void endRest(group, { graceMs: 10, lost: lost.signal, nextAsk, say }).then(
      () => (isOver = true),
    );
    await eventually(() => {
      expect(said).toEqual([expect.stringMatching(/^processes of group 7 can't be ended .* kept/)]);
    });
    expect(group.signals).toEqual(['SIGTERM', 'SIGKILL']);
    expect(isOver).toBe(false);
  });

  const untilOver = () =>
    eventually(() => {
      expect(isOver).toBe(true);
    });

  it('are waited for', async () => {
    group.isAlive = false;
    await untilOver();
    expect(said).toHaveLength(1);
  });

  it('are waited for no longer than until the lock is lost', async () => {
    lost.abort();
    await untilOver();
    expect(said).toHaveLength(1);
  });

  it('are waited for until a signal asks to end, and that is said', async () => {
    asked.abort();
    await untilOver();
    expect(said.slice(1)).toEqual(['the lock is released; processes of group 7 still run']);
  });
});
