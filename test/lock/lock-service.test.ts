import { Cancellation } from '../../src/base/cancellation';
import { createLockKeyPrefix } from '../../src/lock/lock-key';
import type { LockCallReport } from '../../src/lock/lock-observer';
import { createLockService, type LockService } from '../../src/lock/lock-service';
import { StoreError, type UnlockOutcome } from '../../src/lock/lock-store';
import { StoreCatalog } from '../../src/lock/store-catalog';
import { createFakeStore, type FakeStore } from '../support/fake-lock-store';

const REQUEST = { storeName: 'lockstore', resourceId: 'r', lockOwner: 'o', expiryInSeconds: 5 };

describe('the lock service', () => {
  const caller = { signal: new Cancellation() };
  const reports: LockCallReport[] = [];
  let store: FakeStore;
  let stores: StoreCatalog;

  const createService = () =>
    createLockService({ stores, observers: [{ ended: (report) => reports.push(report) }] });

  beforeEach(() => {
    reports.length = 0;
    store = createFakeStore();
    stores = new StoreCatalog();
    const keyPrefix = createLockKeyPrefix({
      keyPrefix: undefined,
      appId: 'myapp',
      componentName: 'lockstore',
    });
    stores.add({ name: 'lockstore', store, keyPrefix });
  });

  describe('a caller who leaves before the answer is handed to the socket', () => {
    it.each([
      ['a granted lock is withdrawn, once', true, 1],
      ['nothing is withdrawn of a refused one', false, 0],
    ])('%s', async (_what, acquired, withdrawals) => {
      store.tryLock.mockResolvedValue({ acquired });
      const signal = new Cancellation();
      await createService().tryLock(REQUEST, { signal });
      expect(store.withdraw).not.toHaveBeenCalled();
      signal.abort();
      signal.abort();
      const calls = Array.from({ length: withdrawals }, () => store.tryLock.mock.calls[0]?.[0]);
      expect(store.withdraw.mock.calls.flat()).toEqual(calls);
    });

    it('a release is not undone', async () => {
      const signal = new Cancellation();
      await createService().unlock(REQUEST, { signal });
      signal.abort();
      expect(store.withdraw).not.toHaveBeenCalled();
    });
  });

  describe('a try', () => {
    it.each([true, false])('that acquired: %s is answered by success', async (acquired) => {
      store.tryLock.mockResolvedValue({ acquired });
      const answer = await createService().tryLock(REQUEST, caller);
      expect(answer).toEqual({ success: acquired });
    });

    it('reaches the store with its whole key and the expiry in milliseconds', async () => {
      await createService().tryLock(REQUEST, caller);
      expect(store.tryLock).toHaveBeenCalledWith(
        {
          key: 'lock||myapp||r',
          owner: 'o',
          ttlMs: 5000,
          attempt: { id: expect.any(String) as string },
        },
        caller.signal,
      );
    });

    it('has an attempt id of its own', async () => {
      const service = createService();
      await service.tryLock(REQUEST, caller);
      await service.tryLock(REQUEST, caller);
      const [first, second] = store.tryLock.mock.calls.map(([call]) => call.attempt);
      expect(first!.id).not.toBe(second!.id);
    });
  });

  describe('a call whose outcome is unknown', () => {
    const unknown = new StoreError('lost', { kind: 'deadline', outcome: 'unknown' });

    it.each(['tryLock', 'unlock'] as const)('%s is withdrawn, once', async (method) => {
      store[method].mockRejectedValue(unknown);
      await expect(createService()[method](REQUEST, caller)).rejects.toThrow('lost');
      expect(store.withdraw.mock.calls).toEqual([[store[method].mock.calls[0]![0]]]);
    });

    it('is withdrawn where the store has a defect', async () => {
      store.tryLock.mockRejectedValue(new TypeError('defect'));
      await expect(createService().tryLock(REQUEST, caller)).rejects.toThrow('unknown');
      expect(store.withdraw).toHaveBeenCalledTimes(1);
    });

    it('is answered without waiting for its withdrawal', async () => {
      store.withdraw.mockReturnValue(new Promise(() => undefined));
      store.tryLock.mockRejectedValue(unknown);
      await expect(createService().tryLock(REQUEST, caller)).rejects.toThrow('lost');
    });

    it('survives a withdrawal that fails', async () => {
      store.withdraw.mockRejectedValue(unknown);
      store.tryLock.mockRejectedValue(unknown);
      await expect(createService().tryLock(REQUEST, caller)).rejects.toThrow('lost');
    });
  });

  describe('a caller who leaves while the store answers', () => {
    const gone = { signal: AbortSignal.abort() };

    it('holds nothing: the lock is withdrawn', async () => {
      await expect(createService().tryLock(REQUEST, gone)).rejects.toThrow(
        'the caller is no longer waiting',
      );
      expect(store.withdraw).toHaveBeenCalledTimes(1);
    });

    it('has nothing withdrawn that was refused or released', async () => {
      store.tryLock.mockResolvedValue({ acquired: false });
      await createService().tryLock(REQUEST, gone);
      await createService().unlock(REQUEST, gone);
      expect(store.withdraw).not.toHaveBeenCalled();
    });
  });

  it('withdraws nothing where nothing was applied', async () => {
    store.tryLock.mockRejectedValue(
      new StoreError('away', { kind: 'unavailable', outcome: 'not-applied' }),
    );
    await expect(createService().tryLock(REQUEST, caller)).rejects.toThrow('away');
    expect(store.withdraw).not.toHaveBeenCalled();
  });

  describe('a release', () => {
    it.each([
      ['unlocked', 0],
      ['not_found', 1],
      ['held_by_other', 2],
    ] as const)('that ends %s is answered by status %i', async (outcome: UnlockOutcome, status) => {
      store.unlock.mockResolvedValue(outcome);
      const answer = await createService().unlock(REQUEST, caller);
      expect(answer).toEqual({ status });
    });
  });

  describe('a bad request', () => {
    const empty = { storeName: '', resourceId: '', lockOwner: '', expiryInSeconds: 0 };
    // Each row is wrong in all that follows it too: the first check decides.
    const rows = [
      { name: 'expiry 0', request: empty, code: 'ERR_MALFORMED_REQUEST', message: /^ExpiryIn/ },
      {
        name: 'a negative expiry',
        request: { ...empty, expiryInSeconds: -1 },
        code: 'ERR_MALFORMED_REQUEST',
        message: /^ExpiryInSeconds is not positive in lock store $/,
      },
      {
        name: 'no resource',
        request: { ...empty, storeName: 's', expiryInSeconds: 1 },
        code: 'ERR_MALFORMED_REQUEST',
        message: /^ResourceId is empty in lock store s$/,
      },
      {
        name: 'no owner',
        request: { ...empty, storeName: 's', resourceId: 'a||b', expiryInSeconds: 1 },
        code: 'ERR_MALFORMED_REQUEST',
        message: /^LockOwner is empty in lock store s$/,
      },
      {
        name: 'an unknown store',
        request: { storeName: 's', resourceId: 'a||b', lockOwner: 'o', expiryInSeconds: 1 },
        code: 'ERR_LOCK_STORE_NOT_FOUND',
        message: /^lock store s not found$/,
      },
      {
        name: 'two pipes in the resource',
        request: { ...REQUEST, resourceId: 'a||b' },
        code: 'ERR_TRY_LOCK',
        message:
          /^failed to try acquiring lock: input key\/keyPrefix 'a\|\|b' can't contain '\|\|'$/,
      },
    ];

    it.each(rows)('with $name is refused', async ({ request, code, message }) => {
      await expect(createService().tryLock(request, caller)).rejects.toMatchObject({
        errorCode: code,
        message: expect.stringMatching(message) as unknown,
      });
      expect(store.tryLock).not.toHaveBeenCalled();
    });

    it('is refused where no store is loaded, after its expiry was looked at', async () => {
      stores = new StoreCatalog();
      const service = createService();
      await expect(service.tryLock(empty, caller)).rejects.toThrow(/^ExpiryInSeconds/);
      await expect(service.unlock(empty, caller)).rejects.toMatchObject({
        errorCode: 'ERR_LOCK_STORE_NOT_CONFIGURED',
        httpStatus: 500,
        grpcCode: 'FAILED_PRECONDITION',
      });
    });

    it('to unlock is refused under its own code', async () => {
      const request = { ...REQUEST, resourceId: 'a||b' };
      await expect(createService().unlock(request, caller)).rejects.toMatchObject({
        errorCode: 'ERR_UNLOCK',
        message: "failed to release lock: input key/keyPrefix 'a||b' can't contain '||'",
      });
    });
  });

  describe('with as many calls under way as are taken', () => {
    let finish: (result: { acquired: boolean }) => void;
    let first: Promise<unknown>;
    let service: LockService;

    beforeEach(() => {
      store.tryLock.mockReturnValueOnce(
        new Promise((resolve) => {
          finish = resolve;
        }),
      );
      service = createLockService({
        stores,
        observers: [{ ended: (report) => reports.push(report) }],
        maxConcurrentCalls: 1,
      });
      first = service.tryLock(REQUEST, caller);
    });
    afterEach(async () => {
      finish({ acquired: true });
      await first;
    });

    it.each(['tryLock', 'unlock'] as const)('refuses %s, with a hint to retry', async (method) => {
      await expect(service[method](REQUEST, caller)).rejects.toMatchObject({
        errorCode: 'ERR_LOCK_OVERLOADED',
        httpStatus: 503,
        grpcCode: 'RESOURCE_EXHAUSTED',
        retryAfterSeconds: 1,
        message: expect.stringMatching(
          /^the limit of 1 concurrent lock calls is reached/,
        ) as unknown,
      });
    });

    it('asks nothing of the store, and undoes nothing, for a call that it refuses', async () => {
      await service.unlock(REQUEST, caller).catch(() => undefined);
      expect(
        [store.tryLock, store.unlock, store.withdraw].map(({ mock }) => mock.calls.length),
      ).toEqual([1, 0, 0]);
    });

    it('reports the refusal as an outcome of its own', async () => {
      await service.unlock(REQUEST, caller).catch(() => undefined);
      expect(reports.map(({ outcome }) => outcome)).toEqual(['overloaded']);
    });

    it('still tells a bad request what is wrong with it', async () => {
      const bad = { ...REQUEST, resourceId: '' };
      await expect(service.tryLock(bad, caller)).rejects.toThrow('ResourceId is empty');
    });

    it.each([
      ['was answered', () => Promise.resolve({ acquired: true })],
      ['failed', () => Promise.reject(new TypeError('defect'))],
    ])('takes the next call once one %s', async (_ended, answer) => {
      finish({ acquired: true });
      await first;
      store.tryLock.mockImplementationOnce(answer);
      await service.tryLock(REQUEST, caller).catch(() => undefined);
      await expect(service.tryLock(REQUEST, caller)).resolves.toEqual({ success: true });
    });

    it('tells the refused in a later turn of the event loop', async () => {
      let isTold = false;
      const refused = service.unlock(REQUEST, caller).catch(() => {
        isTold = true;
      });
      for (let microtasks = 0; microtasks < 50; microtasks += 1) await Promise.resolve();
      expect(isTold).toBe(false);
      await refused;
    });
  });

  describe('a store that fails', () => {
    it('is quoted', async () => {
      const cause = new StoreError('away', { kind: 'unavailable', outcome: 'unknown' });
      store.tryLock.mockRejectedValue(cause);
      await expect(createService().tryLock(REQUEST, caller)).rejects.toMatchObject({
        errorCode: 'ERR_TRY_LOCK',
        grpcCode: 'INTERNAL',
        message: 'failed to try acquiring lock: away',
        cause,
      });
    });

    it('by a defect is not quoted, and the outcome is called unknown', async () => {
      store.unlock.mockRejectedValue(new TypeError('owner o'));
      await expect(createService().unlock(REQUEST, caller)).rejects.toMatchObject({
        errorCode: 'ERR_UNLOCK',
        message: 'failed to release lock: internal error, the outcome is unknown',
      });
    });

    it('by throwing at once is answered alike', async () => {
      store.tryLock.mockImplementation(() => {
        throw new RangeError('thrown');
      });
      await expect(createService().tryLock(REQUEST, caller)).rejects.toMatchObject({
        errorCode: 'ERR_TRY_LOCK',
      });
    });
  });

  describe('the observer', () => {
    it('is told how each call ended', async () => {
      const service = createService();
      await service.tryLock(REQUEST, caller);
      store.tryLock.mockResolvedValue({ acquired: false });
      await service.tryLock(REQUEST, caller);
      await service.unlock(REQUEST, caller);
      await service.unlock({ ...REQUEST, lockOwner: '' }, caller).catch(() => undefined);
      expect(reports.map(({ operation, outcome }) => [operation, outcome])).toEqual([
        ['tryLock', 'acquired'],
        ['tryLock', 'refused'],
        ['unlock', 'unlocked'],
        ['unlock', 'error'],
      ]);
    });
  });
});

describe('the store catalogue', () => {
  it('names its stores in the order in which they came', () => {
    const stores = new StoreCatalog();
    expect(stores.isEmpty).toBe(true);
    const store = createFakeStore();
    stores.add({ name: 'b', store, keyPrefix: { text: 'lock||' } });
    stores.add({ name: 'a', store, keyPrefix: { text: 'lock||' } });
    expect([stores.names, stores.isEmpty]).toEqual([['b', 'a'], false]);
  });
});
