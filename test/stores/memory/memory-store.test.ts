import { createAttempt } from '../../../src/lock/attempt';
import { createMemoryStore, type MemoryStore } from '../../../src/stores/memory/memory-store';

describe('the in-memory store', () => {
  let now: number;
  let store: MemoryStore;
  const signal = new AbortController().signal;

  beforeEach(() => {
    jest.useFakeTimers();
    now = 0;
    store = createMemoryStore({ now: () => now });
  });
  afterEach(async () => {
    await store.close();
    jest.useRealTimers();
  });

  const tryLock = async (key: string, owner: string, ttlMs: number) =>
    (await store.tryLock({ key, owner, ttlMs, attempt: createAttempt() }, signal)).acquired;
  const unlock = (key: string, owner: string) =>
    store.unlock({ key, owner, attempt: createAttempt() }, signal);

  describe('a lease', () => {
    it.each([
      [999, false],
      [1000, true],
    ])('of 1000 ms is over at %i ms: %s', async (at, free) => {
      await tryLock('k', 'a', 1000);
      now = at;
      await expect(tryLock('k', 'b', 1000)).resolves.toBe(free);
    });

    it('counts from the moment at which it was granted again', async () => {
      await tryLock('k', 'a', 1000);
      now = 1000;
      await tryLock('k', 'b', 1000);
      now = 1999;
      await expect(unlock('k', 'b')).resolves.toBe('unlocked');
    });
  });

  describe('memory', () => {
    it('keeps no trace of 200,000 expired locks', async () => {
      await store.init(signal);
      for (let index = 0; index < 200_000; index += 1) await tryLock(`k${index}`, 'a', 500);
      expect(store.size).toBe(200_000);
      now = 1000;
      jest.advanceTimersByTime(1000);
      expect(store.size).toBe(0);
    });

    it('keeps no trace of locks that were released long before their expiry', async () => {
      for (let index = 0; index < 1000; index += 1) {
        await tryLock('k', `owner-${index}`, 1_000_000_000);
        await unlock('k', `owner-${index}`);
      }
      expect(store.size).toBe(0);
    });

    it('keeps what is live when the expired is dropped', async () => {
      await store.init(signal);
      await tryLock('short', 'a', 500);
      await tryLock('long', 'a', 5000);
      now = 2000;
      jest.advanceTimersByTime(1000);
      expect(store.size).toBe(1);
      await expect(tryLock('long', 'b', 1)).resolves.toBe(false);
    });

    it('drops a key that expired and was taken again only when its new lease is over', async () => {
      await store.init(signal);
      await tryLock('k', 'a', 500);
      now = 600;
      await tryLock('k', 'b', 5000);
      now = 2000;
      jest.advanceTimersByTime(1000);
      await expect(unlock('k', 'b')).resolves.toBe('unlocked');
    });
  });

  describe('close', () => {
    it('stops the sweep', async () => {
      await store.init(signal);
      await store.close();
      expect(jest.getTimerCount()).toBe(0);
    });
  });
});
