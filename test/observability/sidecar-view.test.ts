import { LONGEST_SHOWN, SHOWN_MINUTES } from '../../src/api/overview';
import { lockErrors } from '../../src/lock/lock-errors';
import type { LockCallReport } from '../../src/lock/lock-observer';
import { KEPT_EVENTS } from '../../src/observability/recent-events';
import { SidecarView } from '../../src/observability/sidecar-view';
import { collectGarbage } from '../support/collect-garbage';

const MINUTE_MS = 60_000;

const call = (report: Partial<LockCallReport> = {}): LockCallReport => ({
  operation: 'acquire',
  storeName: 'store',
  isKnownStore: true,
  resourceId: 'r',
  lockOwner: 'o',
  outcome: 'acquired',
  durationMs: 1,
  ...report,
});

describe('what a sidecar knows of itself for the page', () => {
  let nowMs: number;
  let view: SidecarView;
  const loaded = [{ name: 'store', type: 'lock.redis' }];
  beforeEach(() => {
    nowMs = 5 * MINUTE_MS;
    view = new SidecarView({
      appId: 'myapp',
      version: '1.2.3',
      instance: 'one',
      loaded: () => loaded,
      now: () => nowMs,
    });
  });
  const store = () => view.view().stores[0]!;
  const recent = () => view.view().recent;
  const pass = (ms: number) => {
    nowMs += ms;
  };

  it('names the sidecar, its version and how long it runs', () => {
    pass(1234.4);
    expect(view.view()).toMatchObject({
      appId: 'myapp',
      version: '1.2.3',
      instance: 'one',
      uptimeMs: 1234,
    });
  });

  describe('of a store', () => {
    it('is whether its server can be reached, and since when', () => {
      const observer = view.storeObserver('store');
      observer.up(false);
      pass(500);
      expect(store()).toMatchObject({ type: 'lock.redis', state: 'down', sinceMs: 500 });
      observer.up(true);
      pass(100);
      observer.up(true);
      pass(100);
      expect(store()).toMatchObject({ state: 'up', sinceMs: 200 });
    });

    it('is up while one of its instances is, where it is replaced', () => {
      const [before, after] = [view.storeObserver('store'), view.storeObserver('store')];
      before.up(true);
      after.up(false);
      expect(store().state).toBe('up');
      before.closed();
      expect(store().state).toBe('down');
    });

    it('is that it is not loaded while only its connection is known', () => {
      const observer = view.storeObserver('late');
      observer.up(false);
      expect(view.view().stores.map(({ name, state }) => [name, state])).toEqual([
        ['store', 'down'],
        ['late', 'loading'],
      ]);
      observer.closed();
      expect(view.view().stores).toHaveLength(1);
    });

    it('is how many calls wait and hold', () => {
      view.waitBegan('store');
      view.waitBegan('store');
      view.waitEnded({ storeName: 'store' });
      view.holdBegan('store', { resourceId: 'r', lockOwner: 'o' });
      expect(store()).toMatchObject({ waiting: 1, holding: 1 });
      const hold = { storeName: 'store', resourceId: 'r', lockOwner: 'o', fencingToken: 1 };
      view.holdEnded({ ...hold, outcome: 'released', heldMs: 1 });
      expect(store()).toMatchObject({ waiting: 1, holding: 0 });
    });

    it('begins anew where a store is gone, whatever ends later', () => {
      view.storeObserver('store').up(true);
      const observer = view.storeObserver('gone');
      observer.up(true);
      const hold = { storeName: 'gone', resourceId: 'r', lockOwner: 'o', fencingToken: 1 };
      view.waitBegan('gone');
      view.holdBegan('gone', hold);
      observer.closed();
      const made = jest.spyOn(Map.prototype, 'set');
      view.waitEnded({ storeName: 'gone' });
      view.holdEnded({ ...hold, outcome: 'released', heldMs: 1 });
      const names = made.mock.calls.map(([name]) => name as unknown);
      made.mockRestore();
      expect(names).not.toContain('gone');
    });

    it('is how many calls it granted and refused in each of the last minutes', () => {
      view.ended(call({ outcome: 'refused' }));
      pass(2 * MINUTE_MS);
      view.ended(call({ outcome: 'refused' }));
      view.ended(call({ outcome: 'refused', operation: 'tryLock' }));
      view.ended(call());
      expect(store().refused).toHaveLength(SHOWN_MINUTES);
      expect(store().refused.slice(-3)).toEqual([1, 0, 2]);
      expect(store().granted.at(-1)).toBe(1);
      pass((SHOWN_MINUTES - 3) * MINUTE_MS);
      expect(store().refused.slice(0, 3)).toEqual([1, 0, 2]);
      pass(3 * MINUTE_MS);
      expect(new Set(store().refused)).toEqual(new Set([0]));
    });
  });

  describe('of what happened lately', () => {
    it.each([
      [{ outcome: 'acquired' }, 'granted', ''],
      [{ outcome: 'acquired', operation: 'tryLock' }, 'granted', ''],
      [{ outcome: 'refused' }, 'refused', ''],
      [{ outcome: 'refused', operation: 'hold' }, 'refused', ''],
      [{ outcome: 'not_found', operation: 'renew' }, 'lost', 'not_found'],
      [{ outcome: 'held_by_other', operation: 'renew' }, 'lost', 'held_by_other'],
      [{ outcome: 'error', error: lockErrors.overloaded(1) }, 'failed', 'ERR_LOCK_OVERLOADED'],
      [{ outcome: 'unknown' }, 'failed', ''],
    ] as const)('%j is %s', (report, kind, reason) => {
      view.ended(call(report));
      pass(70);
      expect(recent()).toEqual([
        { kind, reason, agoMs: 70, storeName: 'store', resourceId: 'r', lockOwner: 'o' },
      ]);
    });

    it.each([
      { operation: 'release', outcome: 'unlocked' },
      { operation: 'renew', outcome: 'renewed' },
      { operation: 'hold', outcome: 'lost' },
      { operation: 'list', outcome: 'error' },
      { operation: 'get', outcome: 'seen' },
      { outcome: 'error', isKnownStore: false },
    ] as const)('is nothing of %j', (report) => {
      view.ended(call(report));
      expect(recent()).toEqual([]);
    });

    it('is the beginning of a hold, and its loss with the reason', () => {
      const hold = { storeName: 'store', resourceId: 'r', lockOwner: 'o', fencingToken: 1 };
      view.holdBegan('store', hold);
      pass(1);
      view.holdEnded({ ...hold, outcome: 'lost', lostBy: 'TAKEN_OVER', heldMs: 1 });
      pass(1);
      view.holdEnded({ ...hold, outcome: 'abandoned', heldMs: 1 });
      expect(recent().map(({ kind, reason }) => [kind, reason])).toEqual([
        ['lost', 'abandoned'],
        ['lost', 'taken_over'],
        ['granted', ''],
      ]);
    });

    it('is a forced release with the reason that was given', () => {
      view.forceReleased({ storeName: 'store', resourceId: 'r', fencingToken: 1, reason: 'gone' });
      expect(recent()).toMatchObject([{ kind: 'freed', resourceId: 'r', reason: 'gone' }]);
    });

    it('is the latest of each kind, whatever comes of the others', () => {
      view.ended(call({ outcome: 'refused', resourceId: 'early' }));
      for (let n = 0; n < 2 * KEPT_EVENTS + 3; n += 1) {
        pass(1);
        view.ended(call({ resourceId: String(n) }));
      }
      expect(recent()).toHaveLength(KEPT_EVENTS + 1);
      expect(recent()[0]?.resourceId).toBe(String(2 * KEPT_EVENTS + 2));
      expect(recent().at(-2)?.resourceId).toBe(String(KEPT_EVENTS + 3));
      expect(recent().at(-1)?.resourceId).toBe('early');
    });

    it('cuts long names, and keeps no more of them in memory', () => {
      const long = (n: number) => Buffer.alloc(2 ** 20, `${n}é`).toString();
      collectGarbage();
      const before = process.memoryUsage().heapUsed;
      for (let n = 0; n < KEPT_EVENTS; n += 1) {
        view.ended(call({ resourceId: long(n), lockOwner: 'o'.repeat(LONGEST_SHOWN) }));
      }
      collectGarbage();
      expect(process.memoryUsage().heapUsed - before).toBeLessThan(4 * 2 ** 20);
      const [latest] = recent();
      expect(latest?.resourceId).toBe(`${long(KEPT_EVENTS - 1).slice(0, LONGEST_SHOWN)}…`);
      expect(latest?.lockOwner).toBe('o'.repeat(LONGEST_SHOWN));
    });
  });
});
