import fc from 'fast-check';

import { DeadlineQueue, type Timed } from '../../src/base/deadline-queue';
import { ManualClock } from '../support/manual-clock';

interface Item extends Timed {
  readonly name: string;
}

const itemOf = (name: string): Item => ({ name, dueAtMs: 0, place: -1 });

describe('a queue of deadlines', () => {
  let clock: ManualClock;
  let due: string[];
  let queue: DeadlineQueue<Item>;

  beforeEach(() => {
    clock = new ManualClock();
    due = [];
    queue = new DeadlineQueue(clock, ({ name }) => due.push(`${name} ${clock.now()}`));
  });

  it('tells of each thing when it is due, in order', () => {
    for (const [name, atMs] of [
      ['c', 30],
      ['a', 10],
      ['b', 20],
    ] as const)
      queue.set(itemOf(name), atMs);
    clock.pass(25);
    expect(due).toEqual(['a 10', 'b 20']);
    clock.pass(5);
    expect(due).toEqual(['a 10', 'b 20', 'c 30']);
  });

  it('moves a thing whose time is set anew, to either side', () => {
    const [a, b] = [itemOf('a'), itemOf('b')];
    queue.set(a, 10);
    queue.set(b, 20);
    queue.set(a, 40);
    queue.set(b, 5);
    clock.pass(100);
    expect(due).toEqual(['b 5', 'a 40']);
  });

  it('tells nothing of what was taken back, in the middle of a round too', () => {
    const [a, b] = [itemOf('a'), itemOf('b')];
    queue = new DeadlineQueue(clock, (item) => {
      due.push(item.name);
      queue.delete(item === a ? b : a);
    });
    queue.set(a, 10);
    queue.set(b, 10);
    clock.pass(10);
    expect(due).toHaveLength(1);
    expect(queue.size).toBe(0);
  });

  it('has one timer for any number of things, and none for none', () => {
    const items = Array.from({ length: 1000 }, (_, index) => itemOf(String(index)));
    for (const [index, item] of items.entries()) queue.set(item, 1 + ((index * 7919) % 1000));
    expect(clock.timers).toBe(1);
    for (const item of items) queue.delete(item);
    expect(clock.timers).toBe(0);
  });

  it('lets other work have its turn beside a thing that is due again at once', () => {
    queue = new DeadlineQueue(clock, (item) => {
      due.push(item.name);
      if (due.length < 3) queue.set(item, clock.now());
    });
    queue.set(itemOf('a'), 1);
    clock.pass(1);
    expect(due).toEqual(['a', 'a', 'a']);
  });

  it('looks at its clock once a second: the clock may count time in which no timer ran', () => {
    let asleepMs = 0;
    const counted = { now: () => clock.now() + asleepMs, after: clock.after.bind(clock) };
    queue = new DeadlineQueue(counted, ({ name }) => due.push(name));
    queue.set(itemOf('a'), 60_000);
    clock.pass(100);
    asleepMs = 3_600_000;
    clock.pass(1000);
    expect(due).toEqual(['a']);
  });

  it('keeps the order under any changes', () => {
    const change = fc.record({
      item: fc.integer({ min: 0, max: 9 }),
      atMs: fc.option(fc.integer({ min: 1, max: 50 })),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        const [time, told, model] = [new ManualClock(), [] as string[], new Map<string, number>()];
        const changed = new DeadlineQueue<Item>(time, ({ name, dueAtMs }) => {
          expect(time.now()).toBe(dueAtMs);
          told.push(name);
        });
        const items = Array.from({ length: 10 }, (_, index) => itemOf(String(index)));
        for (const { item: index, atMs } of changes) {
          const item = items[index]!;
          if (atMs === null) changed.delete(item);
          else changed.set(item, atMs);
          if (atMs === null) model.delete(item.name);
          else model.set(item.name, atMs);
        }
        time.pass(100);
        expect([...told].sort()).toEqual([...model.keys()].sort());
        const times = told.map((name) => model.get(name)!);
        expect(times).toEqual([...times].sort((a, b) => a - b));
      }),
    );
  });
});
