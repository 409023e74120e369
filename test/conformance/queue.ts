import { createAttempt } from '../../src/lock/attempt';
import type { LockStore } from '../../src/lock/lock-store';
import { type AskCall, type AskResult, isWaitOver } from '../../src/lock/store-abilities';
import { eventually } from '../support/eventually';
import { acquire, beGranted, callOn, forever, LONG_MS, RecordingListener } from './ability-fixture';

/** The contract of `LockStore.queue` as tests, for every store that has it. */
export function describeQueue(name: string, createStore: () => LockStore): void {
  describe(`the queue on ${name}`, () => {
    let store: LockStore;
    let listener: RecordingListener;
    let refreshing: NodeJS.Timeout;
    /** The locks that the present test has asked for. */
    const asked = new Set<string>();
    beforeAll(async () => {
      store = createStore();
      await store.init(forever());
      listener = new RecordingListener();
      store.queue!.listen(listener);
      // As a sidecar does: tickets end without it, on a busy machine in the middle of a test.
      refreshing = setInterval(() => {
        store.queue!.refresh([...asked], forever()).catch(() => undefined);
      }, store.queue!.refreshEveryMs);
    });
    afterAll(() => {
      clearInterval(refreshing);
      return store.close();
    });
    beforeEach(() => {
      listener.told.length = 0;
      asked.clear();
    });

    const queue = () => store.queue!;
    const ask = (call: AskCall): Promise<AskResult> => {
      asked.add(call.key);
      return queue().ask(call, forever());
    };
    const release = (key: string) =>
      store.unlock({ key, owner: 'a', attempt: createAttempt() }, forever());

    /** A lock that is held, and tickets that wait for it in this order. */
    const withWaiters = async (count: number) => {
      const holder = callOn();
      await acquire(store, holder);
      const waiters = Array.from({ length: count }, () => callOn({ key: holder.key }));
      for (const waiter of waiters) await ask(waiter);
      return { holder, key: holder.key, waiters };
    };
    const isTold = (call: AskCall) =>
      eventually(() => {
        expect(listener.told).toContain(call.attempt.id);
      });

    describe('an ask', () => {
      it('is granted a free lock at once, with a token', async () => {
        const call = callOn();
        const grant = await beGranted(store, call);
        expect(grant.validUntilMs).toBeGreaterThan(performance.now());
        await release(call.key);
        const later = await beGranted(store, callOn({ key: call.key }));
        expect(later.fencingToken).toBeGreaterThan(grant.fencingToken);
      });

      it('says how many are ahead, and when the lease ends that is waited for', async () => {
        const { key } = await withWaiters(2);
        const result = await ask(callOn({ key }));
        expect(result).toMatchObject({ state: 'queued', ahead: 2 });
        const freeAtMs = result.state === 'queued' ? result.freeAtMs! : NaN;
        expect(freeAtMs).toBeGreaterThan(performance.now() + LONG_MS / 2);
        expect(freeAtMs).toBeLessThanOrEqual(performance.now() + LONG_MS + 50);
      });

      it('keeps its place when it is repeated', async () => {
        const { waiters } = await withWaiters(3);
        for (const [ahead, waiter] of waiters.entries()) {
          await expect(ask(waiter)).resolves.toMatchObject({ state: 'queued', ahead });
        }
      });

      it('that was granted is recognised', async () => {
        const call = callOn();
        const { fencingToken } = await beGranted(store, call);
        await expect(beGranted(store, call)).resolves.toMatchObject({ fencingToken });
      });

      it('is answered although another leaves that was first to need a session', async () => {
        const fresh = createStore();
        await fresh.init(forever());
        const caller = new AbortController();
        const left = fresh.queue!.ask(callOn(), caller.signal).catch(() => 'left');
        const answer = fresh.queue!.ask(callOn(), forever());
        caller.abort();
        try {
          await expect(answer).resolves.toMatchObject({ state: 'granted' });
          await left;
        } finally {
          await fresh.close();
        }
      });

      it('is granted nothing after its deadline', async () => {
        const call = callOn({ waitUntilMs: performance.now() - 1 });
        const failure = { kind: 'deadline', outcome: 'not-applied' };
        await expect(ask(call)).rejects.toMatchObject(failure);
        await expect(ask(call).catch(isWaitOver)).resolves.toBe(true);
        await beGranted(store, callOn({ key: call.key }));
      });
    });

    describe('the tickets of a lock', () => {
      it('are served in the order in which they came, and nobody slips in', async () => {
        const { holder, key, waiters } = await withWaiters(4);
        await store.unlock({ ...holder, attempt: createAttempt() }, forever());
        for (const [index, waiter] of waiters.entries()) {
          await expect(store.tryLock(callOn({ key }), forever())).resolves.toMatchObject({
            acquired: false,
          });
          await expect(store.leases!.acquire(callOn({ key }), forever())).resolves.toMatchObject({
            acquired: false,
          });
          for (const later of waiters.slice(index + 1)) {
            await expect(ask(later)).resolves.toMatchObject({ state: 'queued' });
          }
          await beGranted(store, waiter);
          await release(key);
        }
        await beGranted(store, callOn({ key }));
      });

      it('are passed by once the deadline of the head is over', async () => {
        const { key } = await withWaiters(0);
        await ask(callOn({ key, waitUntilMs: performance.now() + 500 }));
        await release(key);
        await eventually(async () => {
          await expect(store.tryLock(callOn({ key }), forever())).resolves.toMatchObject({
            acquired: true,
          });
        });
      });
    });

    describe('the head is woken', () => {
      it.each(['unlock', 'release', 'forceRelease', 'withdraw'] as const)('by %s', async (how) => {
        const holder = callOn();
        const { fencingToken } = await acquire(store, holder);
        const [first, second] = [callOn({ key: holder.key }), callOn({ key: holder.key })];
        await ask(first);
        await ask(second);
        const again = { key: holder.key, owner: 'a', attempt: createAttempt() };
        if (how === 'unlock') await store.unlock(again, forever());
        if (how === 'release') await store.leases!.release({ ...again, fencingToken }, forever());
        if (how === 'withdraw') await store.withdraw(holder);
        if (how === 'forceRelease') {
          await store.views!.forceRelease({ ...again, grant: { fencingToken } }, forever());
        }
        await isTold(first);
        expect(listener.told).toEqual([first.attempt.id]);
        await beGranted(store, first);
      });

      it('by a head that leaves, and not by others that do', async () => {
        const { waiters } = await withWaiters(3);
        await queue().leave(waiters[1]!);
        await queue().leave(waiters[0]!);
        await isTold(waiters[2]!);
        expect(listener.told).toEqual([waiters[2]!.attempt.id]);
      });
    });

    describe('leaving', () => {
      it('takes the ticket away', async () => {
        const { key, waiters } = await withWaiters(2);
        await queue().leave(waiters[0]!);
        await release(key);
        await beGranted(store, waiters[1]!);
      });

      it('undoes a grant', async () => {
        const { key, waiters } = await withWaiters(1);
        await release(key);
        await beGranted(store, waiters[0]!);
        await queue().leave(waiters[0]!);
        await expect(store.tryLock(callOn({ key }), forever())).resolves.toMatchObject({
          acquired: true,
        });
      });

      it('keeps later asks of the ticket from any effect', async () => {
        const { key, waiters } = await withWaiters(1);
        await queue().leave(waiters[0]!);
        await expect(ask(waiters[0]!)).rejects.toMatchObject({ kind: 'rejected' });
        await release(key);
        await beGranted(store, callOn({ key }));
      });
    });

    describe('a refresh', () => {
      it('names the keys that are free', async () => {
        const { key } = await withWaiters(1);
        const [free, other] = [callOn().key, callOn().key];
        const keys = await queue().refresh([free, key, other], forever());
        expect([...keys].sort()).toEqual([free, other].sort());
      });

      it('takes thousands of keys', async () => {
        const keys = Array.from({ length: 2500 }, () => callOn().key);
        const { key } = await withWaiters(1);
        const free = await queue().refresh([...keys, key], forever());
        expect(new Set(free)).toEqual(new Set(keys));
      });

      it('takes no keys', async () => {
        await expect(queue().refresh([], forever())).resolves.toEqual([]);
      });
    });
  });
}
