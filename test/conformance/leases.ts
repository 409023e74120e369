import { createAttempt } from '../../src/lock/attempt';
import type { LockStore } from '../../src/lock/lock-store';
import { eventually } from '../support/eventually';
import { acquire, callOn, forever, LONG_MS } from './ability-fixture';

/**
 * The contract of `LockStore.leases` as tests, for every store that has it.
 *
 * @param options `leaseUnitMs`: the store rounds leases up to a multiple of it
 */
export function describeLeases(
  name: string,
  createStore: () => LockStore,
  { leaseUnitMs = 1 }: { readonly leaseUnitMs?: number } = {},
): void {
  describe(`leases on ${name}`, () => {
    let store: LockStore;
    beforeAll(async () => {
      store = createStore();
      await store.init(forever());
    });
    afterAll(() => store.close());

    const leases = () => store.leases!;
    const release = (key: string, owner: string, fencingToken?: number) =>
      leases().release({ key, owner, fencingToken, attempt: createAttempt() }, forever());
    const isHeld = async (key: string) =>
      !(await store.tryLock(callOn({ key, ttlMs: 500 }), forever())).acquired;

    describe('a grant', () => {
      it('has a token that exceeds those of all grants of the lock before', async () => {
        const { key } = callOn();
        const tokens: number[] = [];
        for (let grants = 0; grants < 20; grants += 1) {
          tokens.push((await acquire(store, callOn({ key }))).fencingToken);
          await release(key, 'a');
        }
        expect(tokens.every(Number.isSafeInteger)).toBe(true);
        expect(tokens).toEqual([...new Set(tokens)].sort((one, other) => one - other));
      });

      it('of a tryLock has one as well', async () => {
        const call = callOn();
        const { grant } = await store.tryLock(call, forever());
        await release(call.key, 'a');
        const later = await acquire(store, callOn({ key: call.key }));
        expect(later.fencingToken).toBeGreaterThan(grant!.fencingToken);
      });

      it('that is recognised keeps its token', async () => {
        const call = callOn();
        const { fencingToken } = await acquire(store, call);
        await expect(acquire(store, call)).resolves.toMatchObject({ fencingToken });
      });

      it('says until when it lasts, and the store keeps it no shorter', async () => {
        const call = callOn({ ttlMs: 300 });
        const calledAtMs = performance.now();
        const { validUntilMs } = await acquire(store, call);
        expect(validUntilMs).toBeGreaterThan(calledAtMs);
        expect(validUntilMs).toBeLessThanOrEqual(performance.now() + Math.max(300, leaseUnitMs));
        await eventually(async () => {
          const atMs = performance.now();
          expect(await isHeld(call.key)).toBe(false);
          expect(atMs).toBeGreaterThanOrEqual(validUntilMs - 1);
        });
      });

      it('is refused while another stands, to the same owner too', async () => {
        const { key } = callOn();
        await acquire(store, callOn({ key }));
        const again = await leases().acquire(callOn({ key }), forever());
        expect(again).toEqual({ acquired: false });
      });
    });

    describe('a renewal', () => {
      const renew = (key: string, ttlMs: number, fencingToken?: number, owner = 'a') =>
        leases().renew({ key, owner, fencingToken, ttlMs }, forever());

      it.each([true, false])('prolongs the lease; with its token: %s', async (byToken) => {
        const call = callOn({ ttlMs: 400 });
        const grant = await acquire(store, call);
        const { fencingToken } = grant;
        const renewed = await renew(call.key, LONG_MS, byToken ? fencingToken : undefined);
        expect(renewed).toMatchObject({ status: 'renewed', grant: { fencingToken } });
        const endMs = renewed.status === 'renewed' ? renewed.grant.validUntilMs : 0;
        expect(endMs).toBeGreaterThan(grant.validUntilMs + LONG_MS / 2);
        await eventually(() => {
          expect(performance.now()).toBeGreaterThan(grant.validUntilMs + 10);
        });
        await expect(isHeld(call.key)).resolves.toBe(true);
      });

      it('never shortens a lease', async () => {
        const call = callOn();
        const { fencingToken, validUntilMs } = await acquire(store, call);
        const renewed = await renew(call.key, 10, fencingToken);
        const endMs = renewed.status === 'renewed' ? renewed.grant.validUntilMs : 0;
        expect(endMs).toBeGreaterThan(validUntilMs - LONG_MS / 2);
        await expect(isHeld(call.key)).resolves.toBe(true);
      });

      it('revives no lease that is over', async () => {
        const call = callOn({ ttlMs: 20 });
        const { fencingToken, validUntilMs } = await acquire(store, call);
        await eventually(() => {
          // A renewal before the store's own end would prolong the lease by a whole unit.
          expect(performance.now()).toBeGreaterThan(validUntilMs + leaseUnitMs);
        });
        await eventually(async () => {
          await expect(renew(call.key, 1, fencingToken)).resolves.toEqual({ status: 'not_found' });
        });
        await expect(isHeld(call.key)).resolves.toBe(false);
      });

      it('touches no later grant of the same owner where it names another', async () => {
        const { key } = callOn();
        const { fencingToken } = await acquire(store, callOn({ key }));
        await release(key, 'a');
        await acquire(store, callOn({ key, ttlMs: LONG_MS }));
        const answer = { status: 'held_by_other' };
        await expect(renew(key, 9 * LONG_MS, fencingToken)).resolves.toEqual(answer);
        const view = await store.views?.get(key, forever());
        expect(view?.leftMs ?? 0).toBeLessThanOrEqual(LONG_MS);
      });

      it('touches no lock of another owner', async () => {
        const call = callOn();
        await acquire(store, call);
        const renewed = renew(call.key, LONG_MS, undefined, 'b');
        await expect(renewed).resolves.toEqual({ status: 'held_by_other' });
      });

      it('is not shortened by the acquire that comes after it under its attempt', async () => {
        const call = callOn({ ttlMs: 1000 });
        await acquire(store, call);
        await renew(call.key, LONG_MS);
        await acquire(store, call);
        const view = await store.views?.get(call.key, forever());
        expect(view?.leftMs ?? LONG_MS).toBeGreaterThan(LONG_MS / 2);
      });
    });

    describe('a release', () => {
      it('by token frees that grant, once', async () => {
        const call = callOn();
        const { fencingToken } = await acquire(store, call);
        await expect(release(call.key, 'a', fencingToken)).resolves.toBe('unlocked');
        await expect(release(call.key, 'a', fencingToken)).resolves.toBe('not_found');
      });

      it('by token leaves a later grant of the same owner alone', async () => {
        const { key } = callOn();
        const { fencingToken } = await acquire(store, callOn({ key }));
        await release(key, 'a');
        await acquire(store, callOn({ key }));
        await expect(release(key, 'a', fencingToken)).resolves.toBe('held_by_other');
        await expect(isHeld(key)).resolves.toBe(true);
      });

      it('by token needs the owner, too', async () => {
        const call = callOn();
        const { fencingToken } = await acquire(store, call);
        await expect(release(call.key, 'b', fencingToken)).resolves.toBe('held_by_other');
      });

      it('without a token is an unlock', async () => {
        const call = callOn();
        await acquire(store, call);
        await expect(release(call.key, 'b')).resolves.toBe('held_by_other');
        await expect(release(call.key, 'a')).resolves.toBe('unlocked');
      });

      it('that is repeated is recognised, and frees no later lock', async () => {
        const call = callOn();
        const { fencingToken } = await acquire(store, call);
        const again = { key: call.key, owner: 'a', fencingToken, attempt: createAttempt() };
        await expect(leases().release(again, forever())).resolves.toBe('unlocked');
        await acquire(store, callOn({ key: call.key }));
        await expect(leases().release(again, forever())).resolves.toBe('unlocked');
        await expect(isHeld(call.key)).resolves.toBe(true);
      });
    });

    it('a grant is undone by its withdrawal, a renewed one too', async () => {
      const call = callOn();
      await acquire(store, call);
      await leases().renew({ key: call.key, owner: 'a', ttlMs: 2 * LONG_MS }, forever());
      await store.withdraw(call);
      await expect(isHeld(call.key)).resolves.toBe(false);
    });

    it('a call whose caller has gone does nothing', async () => {
      const gone = AbortSignal.abort();
      const call = callOn();
      const failure = { kind: 'deadline', outcome: 'not-applied' };
      await expect(leases().acquire(call, gone)).rejects.toMatchObject(failure);
      await expect(leases().renew(call, gone)).rejects.toMatchObject(failure);
      await expect(leases().release(call, gone)).rejects.toMatchObject(failure);
    });
  });
}
