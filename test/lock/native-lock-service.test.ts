import { Cancellation } from '../../src/base/cancellation';
import { Admission } from '../../src/lock/admission';
import { LeaseClock } from '../../src/lock/lease-clock';
import type { LockError } from '../../src/lock/lock-errors';
import { createLockKeyPrefix } from '../../src/lock/lock-key';
import type { ForceReleaseReport, LockCallReport } from '../../src/lock/lock-observer';
import { StoreError, type StoreErrorKind } from '../../src/lock/lock-store';
import { createNativeLockService } from '../../src/lock/native/native-locks';
import type { NativeLockService } from '../../src/lock/native-lock-service';
import { PageTokenError } from '../../src/lock/store-abilities';
import { StoreCatalog } from '../../src/lock/store-catalog';
import { holdUntilEnd } from '../support/hold-until-end';
import { LockServer } from '../support/lock-world/lock-server';
import { RemoteStore } from '../support/lock-world/remote-store';
import { ManualClock } from '../support/manual-clock';

const NAME = { storeName: 'store', resourceId: 'r' };
const ACQUIRE = { ...NAME, lockOwner: 'o', ttlMs: 1000, waitMs: 0 };
const RENEW = { ...NAME, lockOwner: 'o', fencingToken: 1, ttlMs: 1000 };
const LIST = { storeName: 'store', prefix: '', pageSize: undefined, pageToken: '' };
const FORCE = { ...NAME, fencingToken: 1, lockOwner: '', expiresAtMs: undefined, reason: 'gone' };

type Call = (locks: NativeLockService) => Promise<unknown>;

describe('the native lock service', () => {
  let clock: ManualClock;
  let store: RemoteStore;
  let stores: StoreCatalog;
  let signal: Cancellation;
  const reports: LockCallReport[] = [];
  const forced: ForceReleaseReport[] = [];

  const caller = () => ({ signal, arrivedAtMs: clock.now() });
  const acquire =
    (change: object): Call =>
    (locks) =>
      locks.acquire({ ...ACQUIRE, ...change }, caller());
  const renew =
    (change: object): Call =>
    (locks) =>
      locks.renew({ ...RENEW, ...change }, caller());
  const release =
    (change: object): Call =>
    (locks) =>
      locks.release({ ...RENEW, ...change }, caller());
  const list =
    (change: object): Call =>
    (locks) =>
      locks.list({ ...LIST, ...change }, caller());
  const force =
    (change: object): Call =>
    (locks) =>
      locks.forceRelease({ ...FORCE, ...change }, caller());
  const get =
    (change: object): Call =>
    (locks) =>
      locks.get({ ...NAME, ...change }, caller());
  const hold =
    (change: object): Call =>
    (locks) =>
      holdUntilEnd(locks, { ...ACQUIRE, ...change }, caller(), {
        emit: () => undefined,
        isWritable: true,
      });

  const createService = (admission = new Admission(Infinity)): NativeLockService =>
    createNativeLockService({
      stores,
      appId: 'app',
      hostName: 'host',
      observers: [
        {
          ended: (report) => reports.push({ ...report, outcome: report.outcome }),
          forceReleased: (report) => forced.push(report),
        },
      ],
      clock: new LeaseClock(clock, () => clock.now()),
      admission,
    });

  /** Runs a call to its end, in virtual time. */
  const run = async (call: Call, locks = createService()): Promise<unknown> => {
    const result = call(locks).catch((error: unknown) => error);
    await clock.passGently(5);
    return result;
  };

  beforeEach(() => {
    [reports.length, forced.length] = [0, 0];
    clock = new ManualClock();
    signal = new Cancellation();
    store = new RemoteStore(new LockServer(clock), clock);
    stores = new StoreCatalog();
    const keyPrefix = createLockKeyPrefix({ keyPrefix: 'none', appId: '', componentName: '' });
    stores.add({ name: 'store', store, keyPrefix });
  });

  const wholeNumber = (name: string, range: string) =>
    `; a whole number from ${range} is allowed`.replace(/^/, name);

  it.each<[string, Call, string]>([
    [
      'a lease that is too short',
      acquire({ ttlMs: 9 }),
      wholeNumber('ttlMs is 9', '10 to 2147483647'),
    ],
    ['a lease that is too long', hold({ ttlMs: 2 ** 31 }), 'ttlMs is 2147483648;'],
    ['a lease that is no whole number', renew({ ttlMs: 10.5 }), 'ttlMs is 10.5;'],
    ['a lease that is no number', acquire({ ttlMs: NaN }), 'ttlMs is NaN;'],
    ['a negative wait', acquire({ waitMs: -1 }), wholeNumber('waitMs is -1', '0 to 86400000')],
    ['a wait of more than a day', hold({ waitMs: 86_400_001 }), 'waitMs is 86400001;'],
    ['no resource', get({ resourceId: '' }), 'resourceId is empty'],
    ['a resource with two pipes', acquire({ resourceId: 'a||b' }), "resourceId contains '||'"],
    ['no owner to renew', renew({ lockOwner: '' }), 'lockOwner is empty'],
    ['no owner to release', release({ lockOwner: '' }), 'lockOwner is empty'],
    [
      'a token of 0',
      renew({ fencingToken: 0 }),
      wholeNumber('fencingToken is 0', '1 to 9007199254740991'),
    ],
    [
      'a token beyond 2^53-1',
      release({ fencingToken: 2 ** 53 }),
      'fencingToken is 9007199254740992;',
    ],
    ['a page of none', list({ pageSize: 0 }), wholeNumber('pageSize is 0', '1 to 1000')],
    ['a page of too many', list({ pageSize: 1001 }), 'pageSize is 1001;'],
    ['a prefix with two pipes', list({ prefix: 'a||' }), "prefix contains '||'"],
    ['no reason of force', force({ reason: '' }), 'reason has 0 characters; 1 to 256 are allowed'],
    ['a long reason of force', force({ reason: 'x'.repeat(257) }), 'reason has 257 characters;'],
    ['a reason of two lines', force({ reason: 'a\nb' }), 'reason has a control character'],
    ['a negative token', force({ fencingToken: -1 }), 'fencingToken is -1;'],
    ['token 0 without owner', force({ fencingToken: 0, expiresAtMs: 5 }), 'lockOwner is empty'],
    ['token 0 without end', force({ fencingToken: 0, lockOwner: 'o' }), 'expiresAtMs is missing;'],
  ])('refuses %s, and asks the store nothing', async (_what, call, message) => {
    const error = await run(call);
    expect(error).toMatchObject({ errorCode: 'ERR_MALFORMED_REQUEST', httpStatus: 400 });
    expect((error as LockError).message).toContain(`lock store store: ${message}`);
    expect(store.sent).toEqual([]);
    expect(reports).toMatchObject([{ outcome: 'error' }]);
  });

  it.each<[string, Call]>([
    ['the shortest lease', acquire({ ttlMs: 10 })],
    ['the longest lease', acquire({ ttlMs: 2 ** 31 - 1 })],
    ['the longest wait', acquire({ waitMs: 86_400_000 })],
    ['the highest token', renew({ fencingToken: 2 ** 53 - 1 })],
    ['no token', release({ fencingToken: undefined })],
    ['the largest page', list({ pageSize: 1000 })],
    [
      'a reason of 256 characters beyond the first plane',
      force({ reason: '\u{1f512}'.repeat(256) }),
    ],
    ['token 0 with owner and end', force({ fencingToken: 0, lockOwner: 'o', expiresAtMs: 1 })],
  ])('takes %s', async (_what, call) => {
    expect(await run(call)).not.toBeInstanceOf(Error);
    expect(store.sent).toHaveLength(1);
  });

  it.each<[string, Call]>([
    ['acquire', acquire({ storeName: 'other' })],
    ['hold', hold({ storeName: 'other' })],
    ['renew', renew({ storeName: 'other' })],
    ['release', release({ storeName: 'other' })],
    ['get', get({ storeName: 'other' })],
    ['list', list({ storeName: 'other' })],
    ['force release', force({ storeName: 'other' })],
  ])('finds no other store: %s', async (_what, call) => {
    expect(await run(call)).toMatchObject({ errorCode: 'ERR_LOCK_STORE_NOT_FOUND' });
    stores.remove('store');
    expect(await run(call)).toMatchObject({ errorCode: 'ERR_LOCK_STORE_NOT_CONFIGURED' });
  });

  it.each<[string, object, Call]>([
    ['leases', { leases: undefined }, acquire({})],
    ['leases', { leases: undefined }, hold({})],
    ['leases', { leases: undefined }, renew({})],
    ['leases', { leases: undefined }, release({})],
    ['queue', { queue: undefined }, acquire({ waitMs: 10 })],
    ['views', { views: undefined }, get({})],
    ['views', { views: undefined }, list({})],
    ['views', { views: undefined }, force({})],
  ])('says that a store without %s can not do it', async (_what, missing, call) => {
    Object.assign(store, missing);
    const error = await run(call);
    expect(error).toMatchObject({
      errorCode: 'ERR_LOCK_UNSUPPORTED',
      httpStatus: 501,
      grpcCode: 'UNIMPLEMENTED',
    });
  });

  it.each<[StoreErrorKind, 'not-applied' | 'unknown', string]>([
    ['unavailable', 'not-applied', 'ERR_LOCK_STORE_UNAVAILABLE'],
    ['deadline', 'not-applied', 'ERR_LOCK_STORE_UNAVAILABLE'],
    ['closed', 'not-applied', 'ERR_LOCK_STORE_UNAVAILABLE'],
    // Whatever a call ended with: an earlier send of it may have taken effect.
    ['unavailable', 'unknown', 'ERR_LOCK_OUTCOME_UNKNOWN'],
    ['deadline', 'unknown', 'ERR_LOCK_OUTCOME_UNKNOWN'],
    ['closed', 'unknown', 'ERR_LOCK_OUTCOME_UNKNOWN'],
    ['rejected', 'unknown', 'ERR_LOCK_OUTCOME_UNKNOWN'],
    ['protocol', 'unknown', 'ERR_LOCK_OUTCOME_UNKNOWN'],
    ['unsupported', 'unknown', 'ERR_LOCK_OUTCOME_UNKNOWN'],
    ['rejected', 'not-applied', 'ERR_LOCK_STORE_FAILED'],
    ['unsupported', 'not-applied', 'ERR_LOCK_UNSUPPORTED'],
  ])(
    'answers a store error %s, %s by %s, and undoes what is unknown',
    async (kind, outcome, code) => {
      const withdraw = jest.spyOn(store, 'withdraw');
      const fail = () => Promise.reject(new StoreError('why', { kind, outcome }));
      Object.assign(store, { leases: { acquire: fail, renew: fail, release: fail } });
      for (const call of [acquire({}), renew({}), release({})]) {
        const error = await run(call);
        expect(error).toMatchObject({ errorCode: code });
        expect((error as Error).message).toContain('why');
      }
      expect(withdraw).toHaveBeenCalledTimes(outcome === 'unknown' ? 2 : 0);
    },
  );

  it('answers a defect of a store without its text', async () => {
    const fail = () => Promise.reject(new TypeError('secret'));
    Object.assign(store, { leases: { acquire: fail, renew: fail, release: fail } });
    const error = await run(acquire({}));
    expect(error).toMatchObject({ errorCode: 'ERR_LOCK_OUTCOME_UNKNOWN' });
    expect((error as Error).message).not.toContain('secret');
  });

  it('answers a page token of another store as a value that is not allowed', async () => {
    Object.assign(store, { views: { list: () => Promise.reject(new PageTokenError()) } });
    const error = await run(list({ pageToken: 'x' }));
    expect(error).toMatchObject({ errorCode: 'ERR_MALFORMED_REQUEST' });
  });

  it('acquires, refuses with the holder, renews, shows and releases', async () => {
    const locks = createService();
    expect(await run(acquire({}), locks)).toEqual({
      acquired: true,
      lease: { lockOwner: 'o', fencingToken: 1, validMs: 999 },
    });
    const holder = { resourceId: 'r', lockOwner: 'o', fencingToken: 1, waiters: 0 };
    expect(await run(acquire({}), locks)).toMatchObject({ acquired: false, holder });
    expect(await run(get({}), locks)).toMatchObject(holder);
    expect(await run(list({}), locks)).toMatchObject({ locks: [holder], nextPageToken: '' });
    expect(await run(renew({ ttlMs: 5000 }), locks)).toMatchObject({
      status: 'RENEWED',
      lease: { validMs: 4999 },
    });
    expect(await run(renew({ fencingToken: 2 }), locks)).toEqual({ status: 'HELD_BY_OTHER' });
    expect(await run(release({}), locks)).toEqual({ status: 'RELEASED' });
    expect(await run(release({}), locks)).toEqual({ status: 'NOT_FOUND' });
    expect(await run(get({}), locks)).toBeUndefined();
    expect(reports.map(({ operation, outcome }) => `${operation} ${outcome}`)).toEqual([
      ...['acquire acquired', 'acquire refused', 'get seen', 'list seen', 'renew renewed'],
      ...['renew held_by_other', 'release unlocked', 'release not_found', 'get seen'],
    ]);
  });

  it('counts validity from the arrival of the call', async () => {
    const arrivedAtMs = clock.now();
    clock.pass(300);
    const late: Call = (locks) => locks.acquire(ACQUIRE, { signal, arrivedAtMs });
    expect(await run(late)).toMatchObject({ lease: { validMs: 1299 } });
  });

  it('withdraws a lock whose caller leaves before the answer has reached the socket', async () => {
    const withdraw = jest.spyOn(store, 'withdraw');
    await run(acquire({}));
    signal.abort();
    expect(withdraw).toHaveBeenCalledTimes(1);
  });

  it('tells of a forced release, and only of one that released something', async () => {
    const locks = createService();
    await run(acquire({}), locks);
    expect(await run(force({ fencingToken: 7 }), locks)).toEqual({ status: 'HELD_BY_OTHER' });
    expect(forced).toEqual([]);
    expect(await run(force({}), locks)).toEqual({ status: 'RELEASED' });
    expect(forced).toEqual([{ ...NAME, fencingToken: 1, reason: 'gone' }]);
  });

  it('shows no lock that no resource of the component names', async () => {
    const server = new LockServer(clock);
    for (const key of ['lock||mine', 'lock||app||other']) server.barge(key, 1000);
    const keyPrefix = createLockKeyPrefix({ keyPrefix: 'none', appId: '', componentName: '' });
    stores.add({ name: 'store', store: new RemoteStore(server, clock), keyPrefix });
    expect(await run(list({}))).toMatchObject({ locks: [{ resourceId: 'mine' }] });
  });

  describe('where no more unary calls are taken', () => {
    const full = () => {
      const admission = new Admission(1);
      admission.enter();
      return admission;
    };

    it.each<[string, Call]>([
      ['an acquire', acquire({})],
      ['a renewal', renew({})],
      ['a release', release({})],
      ['a look', get({})],
    ])('refuses %s', async (_what, call) => {
      expect(await run(call, createService(full()))).toMatchObject({
        errorCode: 'ERR_LOCK_OVERLOADED',
      });
      expect(store.sent).toEqual([]);
    });

    it('waits and holds all the same: who waits must not keep out the unlock that it waits for', async () => {
      const locks = createService(full());
      expect(await run(acquire({ waitMs: 100 }), locks)).toMatchObject({ acquired: true });
      void hold({ resourceId: 'other' })(locks);
      await clock.passGently(5);
      expect(store.sent).toEqual(['ask', 'acquire']);
    });
  });
});
