import { randomUUID } from 'node:crypto';

import { createAttempt } from '../../src/lock/attempt';
import type { LockStore, StoreError, TryLockCall } from '../../src/lock/lock-store';
import { eventually } from '../support/eventually';

/** How long a lease may outlive its expiry in a test: a busy machine's allowance, not the store's. */
const EXPIRY_ALLOWANCE_MS = 2000;

/** A lease that no test outlives. */
const LONG_MS = 60_000;

/** The largest expiry that the wire can carry: 2^31-1 seconds. */
const LARGEST_MS = (2 ** 31 - 1) * 1000;

/**
 * The contract of {@link LockStore} as tests. Every driver runs it; what only one driver promises
 * stands in that driver's own tests.
 *
 * @param createStore makes a store that is not initialised; all of one run share their locks
 */
export function describeLockStore(name: string, createStore: () => LockStore): void {
  describe(`the lock store contract on ${name}`, () => {
    let store: LockStore;
    let key: string;
    const forever = () => new AbortController().signal;

    beforeAll(async () => {
      store = createStore();
      await store.init(forever());
    });
    afterAll(() => store.close());
    beforeEach(() => {
      key = `lock||conformance||${randomUUID()}`;
    });

    const tryLock = async (owner: string, call: Partial<TryLockCall> = {}): Promise<boolean> => {
      const attempt = createAttempt();
      const whole = { key, owner, ttlMs: LONG_MS, attempt, ...call };
      return (await store.tryLock(whole, forever())).acquired;
    };
    const unlock = (owner: string, onKey = key) =>
      store.unlock({ key: onKey, owner, attempt: createAttempt() }, forever());

    describe('a free lock', () => {
      it('is acquired', async () => {
        await expect(tryLock('a')).resolves.toBe(true);
      });

      it('can be taken with the largest expiry of the wire', async () => {
        await expect(tryLock('a', { ttlMs: LARGEST_MS })).resolves.toBe(true);
        await expect(tryLock('b')).resolves.toBe(false);
      });

      it('is not there to be released', async () => {
        await expect(unlock('a')).resolves.toBe('not_found');
      });

      it('goes to exactly one of 50 that race for it', async () => {
        const racers = Array.from({ length: 50 }, (_, index) => tryLock(`racer-${index}`));
        const acquired = (await Promise.all(racers)).filter(Boolean);
        expect(acquired).toHaveLength(1);
      });
    });

    describe('a held lock', () => {
      beforeEach(async () => {
        await tryLock('holder');
      });

      it.each(['holder', 'other'])('is refused to %s', async (owner) => {
        await expect(tryLock(owner)).resolves.toBe(false);
      });

      it('is released by its owner', async () => {
        await expect(unlock('holder')).resolves.toBe('unlocked');
        await expect(tryLock('other')).resolves.toBe(true);
      });

      it('is released once', async () => {
        await unlock('holder');
        await expect(unlock('holder')).resolves.toBe('not_found');
      });

      it('stays where another tries to release it', async () => {
        await expect(unlock('other')).resolves.toBe('held_by_other');
        await expect(tryLock('other')).resolves.toBe(false);
      });

      it('does not hold any other key', async () => {
        await expect(tryLock('other', { key: `${key}x` })).resolves.toBe(true);
      });
    });

    describe('a lease that is over', () => {
      it('leaves the lock free', async () => {
        await tryLock('a', { ttlMs: 50 });
        await eventually(
          async () => {
            expect(await tryLock('b')).toBe(true);
          },
          { withinMs: 50 + EXPIRY_ALLOWANCE_MS },
        );
      });

      it('is not found by its owner any more', async () => {
        await tryLock('a', { ttlMs: 50 });
        await eventually(async () => {
          expect(await tryLock('b')).toBe(true);
        });
        await expect(unlock('a')).resolves.toBe('held_by_other');
        await expect(tryLock('c')).resolves.toBe(false);
      });

      it('was not prolonged by a refused try', async () => {
        await tryLock('a', { ttlMs: 200 });
        await expect(tryLock('a', { ttlMs: LONG_MS })).resolves.toBe(false);
        await eventually(
          async () => {
            expect(await tryLock('b')).toBe(true);
          },
          { withinMs: 200 + EXPIRY_ALLOWANCE_MS },
        );
      });
    });

    describe('keys and owners', () => {
      const odd = {
        unicode: 'schloß-鎖-🔒',
        'a NUL': 'a\u0000b',
        'a line break': 'a\r\nb',
        'spaces only': '   ',
        'single pipes': '|a|',
        'quotes and braces': '{"a":\'b\'}',
        '60 kB': 'x'.repeat(60_000),
      };
      it.each(Object.entries(odd))('may hold %s', async (_name, text) => {
        const oddKey = `${key}${text}`;
        await expect(tryLock(text, { key: oddKey })).resolves.toBe(true);
        await expect(unlock(`${text} `, oddKey)).resolves.toBe('held_by_other');
        await expect(unlock(text, oddKey)).resolves.toBe('unlocked');
      });

      it.each([
        ['case', 'owner', 'Owner'],
        ['a trailing NUL', 'owner', 'owner\u0000'],
        ['Unicode form', '\u00e9', 'e\u0301'],
      ])('differ by %s', async (_name, holder, other) => {
        await tryLock(holder);
        await expect(unlock(other)).resolves.toBe('held_by_other');
      });
    });

    describe('a caller that has gone', () => {
      it('takes nothing', async () => {
        const call = { key, owner: 'a', ttlMs: LONG_MS, attempt: createAttempt() };
        await expect(store.tryLock(call, AbortSignal.abort())).rejects.toMatchObject({
          name: 'StoreError',
          kind: 'deadline',
          outcome: 'not-applied',
        } satisfies Partial<StoreError>);
        await expect(tryLock('b')).resolves.toBe(true);
      });
    });

    describe('an attempt', () => {
      const callOf = (owner: string, ttlMs = LONG_MS): TryLockCall => ({
        key,
        owner,
        ttlMs,
        attempt: createAttempt(),
      });

      it('that acquired is recognised when it is repeated', async () => {
        const call = callOf('a');
        await store.tryLock(call, forever());
        await expect(store.tryLock(call, forever())).resolves.toMatchObject({ acquired: true });
        await expect(unlock('a')).resolves.toBe('unlocked');
        await expect(unlock('a')).resolves.toBe('not_found');
      });

      it('is not taken for another of the same owner', async () => {
        await store.tryLock(callOf('a'), forever());
        await expect(store.tryLock(callOf('a'), forever())).resolves.toEqual({ acquired: false });
      });

      it('that was refused may be answered anew', async () => {
        const call = callOf('a');
        await tryLock('b');
        await expect(store.tryLock(call, forever())).resolves.toEqual({ acquired: false });
        await unlock('b');
        await expect(store.tryLock(call, forever())).resolves.toMatchObject({ acquired: true });
      });

      it('that released is recognised when it is repeated, and frees no later lock', async () => {
        const call = callOf('a');
        await tryLock('a');
        await expect(store.unlock(call, forever())).resolves.toBe('unlocked');
        await tryLock('a');
        await expect(store.unlock(call, forever())).resolves.toBe('unlocked');
        await expect(tryLock('b')).resolves.toBe(false);
      });

      it('is undone when it is withdrawn', async () => {
        const call = callOf('a');
        await store.tryLock(call, forever());
        await store.withdraw(call);
        await expect(tryLock('b')).resolves.toBe(true);
      });

      it('takes nothing of a later lock of the same owner with it', async () => {
        const call = callOf('a');
        await store.tryLock(call, forever());
        await unlock('a');
        await tryLock('a');
        await store.withdraw(call);
        await expect(tryLock('b')).resolves.toBe(false);
      });

      it('never takes effect once it is withdrawn', async () => {
        const call = callOf('a');
        await store.tryLock(call, forever());
        await store.withdraw(call);
        await expect(store.tryLock(call, forever())).rejects.toMatchObject({ kind: 'rejected' });
        await expect(tryLock('b')).resolves.toBe(true);
      });
    });

    describe('ping', () => {
      it('resolves while the store can be used', async () => {
        await expect(store.ping(forever())).resolves.toBeUndefined();
      });
    });

    describe('a closed store', () => {
      const closed: Partial<StoreError> = { kind: 'closed', outcome: 'not-applied' };
      let closedStore: LockStore;
      beforeAll(async () => {
        closedStore = createStore();
        await closedStore.init(forever());
        await closedStore.close();
      });

      it('refuses every call', async () => {
        const call = { key, owner: 'a', ttlMs: LONG_MS, attempt: createAttempt() };
        await expect(closedStore.tryLock(call, forever())).rejects.toMatchObject(closed);
        await expect(closedStore.unlock(call, forever())).rejects.toMatchObject(closed);
        await expect(closedStore.ping(forever())).rejects.toMatchObject(closed);
      });

      it('may be closed again', async () => {
        await expect(closedStore.close()).resolves.toBeUndefined();
      });
    });
  });
}
