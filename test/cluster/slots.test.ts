import fc from 'fast-check';

import { createAttempt } from '../../src/lock/attempt';
import { createClusterSpelling } from '../../src/stores/redis/cluster/cluster-spelling';
import { slotOf } from '../../src/stores/redis/cluster/slots';
import {
  isSideKey,
  toChannel,
  toCompanionKey,
  TOKEN_KEY,
  toMarkerKey,
  toPresenceKey,
  toQueueKey,
} from '../../src/stores/redis/side-keys';
import { type InspectingClient, type RedisServer, startRedisServer } from '../support/redis-server';

/** Names that come close to tags, in every order, and any other text. */
const piece = fc.constantFrom('{', '}', '{}', '}{', '{{', 'a', '7', '|', '', 'ä', '🔒', ' ', '\n');
const braces = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
const name = fc.oneof(braces, fc.string(), fc.string({ unit: 'binary' }));
const lockKey = fc.tuple(name, name).map(([app, resource]) => `lock||${app}||${resource}x`);

let server: RedisServer;
beforeAll(async () => {
  server = await startRedisServer({ args: ['--cluster-enabled', 'yes'] });
});
afterAll(() => server.stop());

const slotsBy = async (client: InspectingClient, keys: readonly string[]): Promise<number[]> => {
  const slots = keys.map((key) => client.sendCommand(['CLUSTER', 'KEYSLOT', key]));
  return (await Promise.all(slots)).map(Number);
};

describe('the slot of a key', () => {
  it('is the one that Redis says, whatever braces the key has', async () => {
    await server.inspect((client) =>
      fc.assert(
        fc.asyncProperty(name, async (key) => {
          expect([slotOf(key)]).toEqual(await slotsBy(client, [key]));
        }),
        { numRuns: 1000 },
      ),
    );
  });
});

describe('the keys beside a lock in a cluster', () => {
  const spelling = createClusterSpelling();

  it('are in the slot of the lock, as Redis says, whatever braces the lock has', async () => {
    await server.inspect((client) =>
      fc.assert(
        fc.asyncProperty(lockKey, async (key) => {
          const tag = spelling.tagOf(key);
          const { id } = createAttempt();
          const beside = [
            ...[toCompanionKey(key, tag), toMarkerKey(key, id, tag), toQueueKey(key, tag)],
            ...[toPresenceKey('5ad', tag), toChannel('5ad', tag), tag + TOKEN_KEY],
          ];
          const [slot, ...slots] = await slotsBy(client, [key, ...beside]);
          expect(new Set(slots)).toEqual(new Set([slot]));
        }),
        { numRuns: 1000 },
      ),
    );
  });

  it('are no lock’s key', () => {
    fc.assert(
      fc.property(lockKey, (key) => {
        const tag = spelling.tagOf(key);
        const beside = [toCompanionKey(key, tag), toQueueKey(key, tag), tag + TOKEN_KEY];
        expect(beside.every(isSideKey)).toBe(true);
        expect(isSideKey(key)).toBe(false);
      }),
    );
  });

  it('have the smallest number of the slot as their tag', () => {
    const number = Number(spelling.tagOf('lock||myapp||r').slice(1, -1));
    const slot = slotOf('lock||myapp||r');
    expect(slotOf(String(number))).toBe(slot);
    const smaller = Array.from({ length: number }, (_, each) => slotOf(String(each)));
    expect(smaller).not.toContain(slot);
  });
});
