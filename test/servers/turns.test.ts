import { setImmediate as nextTurn } from 'node:timers/promises';

import { Turns } from '../../src/servers/turns';

/** Keeps the processor for longer than a slice of time is. */
function work(): void {
  const until = performance.now() + 5;
  while (performance.now() < until);
}

describe('Turns', () => {
  it('runs tasks in order, and not at once', async () => {
    const turns = new Turns();
    const done: number[] = [];
    for (const task of [1, 2, 3]) turns.add(() => done.push(task));
    expect(done).toEqual([]);
    while (done.length < 3) await nextTurn();
    expect(done).toEqual([1, 2, 3]);
  });

  it('gives the others a turn once tasks have taken their time', async () => {
    const turns = new Turns();
    let done = 0;
    for (let task = 0; task < 10; task += 1) {
      turns.add(() => {
        work();
        done += 1;
      });
    }
    const seen: number[] = [];
    while (done < 10) {
      await nextTurn();
      seen.push(done);
    }
    expect(seen.length).toBeGreaterThanOrEqual(10);
  });

  it('runs what a task adds', async () => {
    const turns = new Turns();
    const done: string[] = [];
    turns.add(() => {
      turns.add(() => done.push('added'));
    });
    while (done.length === 0) await nextTurn();
    expect(done).toEqual(['added']);
  });
});
