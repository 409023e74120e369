import { randomUUID } from 'node:crypto';

import { createAttempt } from '../../src/lock/attempt';
import type { LockStore } from '../../src/lock/lock-store';
import { type LockView, PageTokenError } from '../../src/lock/store-abilities';
import { acquire, callOn, forever, LONG_MS } from './ability-fixture';

/** The contract of `LockStore.views` as tests, for every store that has it. */
export function describeViews(name: string, createStore: () => LockStore): void {
  describe(`views on ${name}`, () => {
    let store: LockStore;
    let keyPrefix: string;
    beforeAll(async () => {
      store = createStore();
      await store.init(forever());
    });
    afterAll(() => store.close());
    beforeEach(() => {
      keyPrefix = `lock||views-${randomUUID()}||`;
    });

    const views = () => store.views!;
    const release = (call: { key: string; owner: string }) =>
      store.unlock({ ...call, attempt: createAttempt() }, forever());
    /** Takes locks of these resources. */
    const hold = async (...resources: readonly string[]) => {
      for (const resource of resources) await acquire(store, callOn({ key: keyPrefix + resource }));
    };
    const allPages = async (pageSize: number, prefix = keyPrefix) => {
      const pages: (readonly LockView[])[] = [];
      let pageToken: string | undefined;
      do {
        const page = await views().list({ keyPrefix: prefix, pageSize, pageToken }, forever());
        pages.push(page.locks);
        pageToken = page.nextPageToken;
      } while (pageToken !== undefined);
      return pages;
    };
    const namesOf = (pages: readonly (readonly LockView[])[]) =>
      [...new Set(pages.flat().map(({ key }) => key.slice(keyPrefix.length)))].sort();

    describe('one lock', () => {
      it('shows owner, token and what is left together', async () => {
        const call = callOn({ owner: 'schloß-鎖' });
        const { fencingToken } = await acquire(store, call);
        const view = await views().get(call.key, forever());
        expect(view).toMatchObject({ key: call.key, owner: 'schloß-鎖', fencingToken, waiters: 0 });
        expect(view!.leftMs).toBeLessThanOrEqual(LONG_MS);
        expect(view!.leftMs).toBeGreaterThan(LONG_MS / 2);
        expect(Math.abs(view!.expiresAtMs - Date.now() - view!.leftMs!)).toBeLessThan(2000);
      });

      it('is nothing where it is free', async () => {
        const call = callOn();
        await expect(views().get(call.key, forever())).resolves.toBeUndefined();
        await acquire(store, call);
        await release(call);
        await expect(views().get(call.key, forever())).resolves.toBeUndefined();
      });

      it('shows how many wait', async () => {
        const call = callOn();
        await acquire(store, call);
        for (let waiters = 0; waiters < 3; waiters += 1) {
          await store.queue!.ask(callOn({ key: call.key }), forever());
        }
        await expect(views().get(call.key, forever())).resolves.toMatchObject({ waiters: 3 });
      });
    });

    describe('a list', () => {
      it('has every held lock of its prefix, and no other', async () => {
        await hold('a', 'b', 'c');
        await acquire(store, callOn());
        await hold('gone');
        await release({ key: `${keyPrefix}gone`, owner: 'a' });
        await expect(allPages(100).then(namesOf)).resolves.toEqual(['a', 'b', 'c']);
      });

      it('comes in pages of at most the size that was asked for', async () => {
        const resources = Array.from({ length: 57 }, (_, index) => `r${index}`);
        await hold(...resources);
        const pages = await allPages(10);
        expect(namesOf(pages)).toEqual([...resources].sort());
        expect(Math.max(...pages.map(({ length }) => length))).toBeLessThanOrEqual(10);
      });

      it('takes its prefix literally', async () => {
        await hold('a*c', 'abc', 'a?c', '[ab]', 'b', '\\', 'a\\*');
        const names = async (prefix: string) => namesOf(await allPages(100, keyPrefix + prefix));
        await expect(names('a*')).resolves.toEqual(['a*c']);
        await expect(names('a?')).resolves.toEqual(['a?c']);
        await expect(names('[ab]')).resolves.toEqual(['[ab]']);
        await expect(names('\\')).resolves.toEqual(['\\']);
        await expect(names('a\\')).resolves.toEqual(['a\\*']);
      });

      it('has nothing that stands beside the locks', async () => {
        await hold('k');
        await store.queue!.ask(callOn({ key: `${keyPrefix}k` }), forever());
        await hold('released');
        await release({ key: `${keyPrefix}released`, owner: 'a' });
        await expect(allPages(100).then(namesOf)).resolves.toEqual(['k']);
      });

      it.each(['', 'x', 'eyJhIjoxfQ', '0', '-1', '184467440737095516159'])(
        'takes no page token that it did not give: "%s"',
        async (pageToken) => {
          const list = views().list({ keyPrefix, pageSize: 10, pageToken }, forever());
          await expect(list).rejects.toThrow(PageTokenError);
        },
      );

      it('takes no page token of another prefix', async () => {
        await hold(...Array.from({ length: 50 }, (_, index) => `r${index}`));
        const call = { keyPrefix, pageSize: 2 };
        const { nextPageToken: pageToken } = await views().list(call, forever());
        expect(pageToken).toBeDefined();
        const other = views().list({ ...call, keyPrefix: 'lock||', pageToken }, forever());
        await expect(other).rejects.toThrow(PageTokenError);
      });
    });

    describe('a forced release', () => {
      const force = (key: string, fencingToken: number) =>
        views().forceRelease({ key, attempt: createAttempt(), grant: { fencingToken } }, forever());

      it('frees the lock that was looked at', async () => {
        const call = callOn();
        const { fencingToken } = await acquire(store, call);
        await expect(force(call.key, fencingToken)).resolves.toBe('unlocked');
        await expect(views().get(call.key, forever())).resolves.toBeUndefined();
      });

      it('leaves another grant alone', async () => {
        const call = callOn();
        const { fencingToken } = await acquire(store, call);
        await release(call);
        await acquire(store, callOn({ key: call.key }));
        await expect(force(call.key, fencingToken)).resolves.toBe('held_by_other');
        await expect(force(call.key, 0)).resolves.toBe('held_by_other');
        await expect(views().get(call.key, forever())).resolves.toBeDefined();
      });

      it('finds nothing where the lock is free', async () => {
        await expect(force(callOn().key, 1)).resolves.toBe('not_found');
      });

      it('that is repeated is recognised', async () => {
        const call = callOn();
        const { fencingToken } = await acquire(store, call);
        const again = { key: call.key, attempt: createAttempt(), grant: { fencingToken } };
        await expect(views().forceRelease(again, forever())).resolves.toBe('unlocked');
        await expect(views().forceRelease(again, forever())).resolves.toBe('unlocked');
      });
    });
  });
}
