import { setTimeout as pause } from 'node:timers/promises';

import { createClient } from 'redis';

import { createAttempt } from '../../../src/lock/attempt';
import { type LockStore, StoreError, type TryLockCall } from '../../../src/lock/lock-store';
import type { SendStamp } from '../../../src/stores/attempts/send-log';
import {
  LockCommands,
  readAcquire,
  type ReleaseTerms,
} from '../../../src/stores/redis/lock-commands';
import type { RedisClient } from '../../../src/stores/redis/redis-link';
import { REPLY } from '../../../src/stores/redis/redis-script';
import { toMarkerKey, toQueueKey } from '../../../src/stores/redis/side-keys';
import { createQuickStore } from '../../stores/redis/redis-fixture';
import { acquireScript, releaseScript, withdrawScript } from '../../support/plain-scripts';

/** A store with one mistake in it, as somebody might make it. */
export interface Bug {
  readonly name: string;
  readonly createStore: (redisPort: number) => LockStore;
}

type Commands = Pick<LockCommands, 'keysOf' | 'acquire' | 'release' | 'withdraw'>;

/** A bug of the commands: all but those changed are Holdfast's own, and `own` has all of them. */
const inCommands = (name: string, change: (own: Commands) => Partial<Commands>): Bug => ({
  name,
  createStore: (port) => {
    const commands = Object.assign(new LockCommands(), change(new LockCommands()));
    return createQuickStore(port, { commands }).store;
  },
});

/** Runs a script whole, as text; its reply goes unchecked for that of the command that it stands for. */
async function run(
  client: RedisClient,
  source: string,
  keys: string[],
  args: readonly string[],
): Promise<never> {
  return (await client.eval(source, { keys, arguments: [...args] })) as never;
}

function acquireArgs(call: TryLockCall, stamp: SendStamp): string[] {
  const { notAfterMs, number, markUntilMs } = stamp;
  const numbers = [call.ttlMs, notAfterMs, number, markUntilMs].map(String);
  return [call.owner, call.attempt.id, ...numbers];
}

function releaseArgs(terms: ReleaseTerms, stamp: SendStamp): string[] {
  const { owner = '', fencingToken = '', expiresAtMs = '' } = terms;
  const numbers = [stamp.notAfterMs, stamp.number, stamp.markUntilMs, fencingToken, expiresAtMs];
  return [owner, ...numbers.map(String)];
}

/** Replaces a piece of a script; fails where it is not there, so that no bug turns into none. */
function mutate(source: string, piece: string, by: string): string {
  if (!source.includes(piece)) throw new Error(`the script has no "${piece}" any more`);
  return source.replace(piece, by);
}

const withAcquire = (name: string, source: string): Bug =>
  inCommands(name, (own) => ({
    acquire: (client, call, stamp) =>
      run(client, source, own.keysOf(call), acquireArgs(call, stamp!)).then(readAcquire),
  }));

const withRelease = (name: string, source: string): Bug =>
  inCommands(name, (own) => ({
    release: (client, call, stamp) =>
      run(client, source, own.keysOf(call), releaseArgs(call, stamp!)),
  }));

const withWithdraw = (name: string, source: string): Bug =>
  inCommands(name, (own) => ({
    withdraw: (client, call, until) =>
      run(client, source, own.keysOf(call), [
        call.owner ?? '',
        call.attempt.id,
        String(until),
        call.ticket ?? '',
      ]),
  }));

/** Bugs of commands and scripts. */
const COMMAND_BUGS: readonly Bug[] = [
  withRelease(
    'unlock without owner check',
    mutate(releaseScript.source, "ARGV[1] == '' or holder == ARGV[1]", 'true'),
  ),
  inCommands('GET then DEL in two commands', () => ({
    async release(client, call) {
      const holder = await client.get(call.key);
      if (holder === null) return REPLY.notFound;
      if (holder !== call.owner) return REPLY.heldByOther;
      await client.del(call.key);
      return REPLY.unlocked;
    },
  })),
  inCommands('SETNX then EXPIRE in two commands', () => ({
    async acquire(client, call) {
      if ((await client.setNX(call.key, call.owner)) === 0) return REPLY.refused;
      await client.pExpire(call.key, call.ttlMs);
      return REPLY.acquired;
    },
  })),
  inCommands("reply lost and retried without attempt id (daprd's ghost lock)", (own) => ({
    acquire(client, call, stamp) {
      const again = { ...call, attempt: createAttempt() };
      return own.acquire(client, again, stamp && { ...stamp, number: 0 });
    },
  })),
  inCommands("release retried without its marker (daprd's lying unlock)", (own) => ({
    release(client, call, stamp) {
      const again = { ...call, attempt: createAttempt() };
      return own.release(client, again, stamp && { ...stamp, number: 0 });
    },
  })),
  withWithdraw(
    'withdrawal that frees a later lock of the same owner',
    `if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end return 3`,
  ),
  withAcquire(
    're-entrant acquire',
    `if redis.call('get', KEYS[1]) == ARGV[1] then return 1 end\n${acquireScript.source}`,
  ),
  withAcquire(
    'TTL refreshed by a refused acquire',
    `redis.call('pexpire', KEYS[1], ARGV[3])\n${acquireScript.source}`,
  ),
  inCommands('seconds taken for milliseconds', (own) => ({
    acquire(client, call, stamp) {
      return own.acquire(client, { ...call, ttlMs: call.ttlMs / 1000 }, stamp);
    },
  })),
  inCommands('expiry rounded to 0', () => ({
    async acquire(client, call) {
      const minutes = Math.floor(call.ttlMs / 60_000);
      const ttl = minutes === 0 ? {} : { expiration: { type: 'PX', value: call.ttlMs } as const };
      const reply = await client.set(call.key, call.owner, { condition: 'NX', ...ttl });
      return reply === 'OK' ? REPLY.acquired : REPLY.refused;
    },
  })),
  inCommands('NOSCRIPT after a restart breaking unlock', (own) => {
    let isLoaded = false;
    return {
      async release(client, call, stamp) {
        if (!isLoaded) await client.scriptLoad(releaseScript.source);
        isLoaded = true;
        const options = { keys: own.keysOf(call), arguments: releaseArgs(call, stamp!) };
        return (await client.evalSha(releaseScript.sha1, options)) as never;
      },
    };
  }),
  inCommands('a lock on the wrong key prefix', (own) => ({
    keysOf(call) {
      return own.keysOf({ ...call, key: call.key.replace(/^lock\|\|/, 'locks||') });
    },
  })),
  inCommands('a companion that has the name of a lock', () => ({
    keysOf: ({ key, attempt }) => [
      key,
      `${key}||attempt`,
      toMarkerKey(key, attempt.id),
      toQueueKey(key),
    ],
  })),
  withAcquire(
    'companion trusted after daprd re-took the key with the same owner name',
    mutate(acquireScript.source, ' or math.abs(ends - tonumber(expiry)) > apart', ''),
  ),
  withWithdraw(
    'withdrawal that trusts a companion after daprd re-took the key',
    mutate(withdrawScript.source, ' or math.abs(ends - tonumber(expiry)) > apart', ''),
  ),
  withRelease(
    'a release that looks at the owner before its marker',
    `local h = redis.call('get', KEYS[1])
if not h then return ${REPLY.notFound} end
if h ~= ARGV[1] then return ${REPLY.heldByOther} end
${releaseScript.source}`,
  ),
  withAcquire(
    'a late first send that takes a lock after its retry was answered',
    mutate(
      acquireScript.source,
      "if number == 0 and type(redis.pcall('get', marker)) == 'string' then",
      'if false then',
    ),
  ),
  withRelease(
    'a late first send that frees a lock after its retry was answered',
    mutate(releaseScript.source, 'if seen then', 'if seen and number > 0 then'),
  ),
  withAcquire(
    'a send that takes a lock after its time (no notAfter)',
    mutate(acquireScript.source, 'if now > tonumber(ARGV[4])', 'if false'),
  ),
  withRelease(
    'a send that frees a lock after its time (no notAfter)',
    mutate(releaseScript.source, 'if now > tonumber(ARGV[2])', 'if false'),
  ),
  withWithdraw(
    'a withdrawal that leaves no marker',
    mutate(withdrawScript.source, 'if left >= 0 then', 'if false then'),
  ),
  inCommands('a marker that is gone before the retry comes', (own) => ({
    release(client, call, stamp) {
      return own.release(client, call, stamp && { ...stamp, markUntilMs: stamp.notAfterMs });
    },
  })),
];

/** Wraps Holdfast's own store, method by method. */
const around = (
  name: string,
  wrap: (store: LockStore, port: number) => Partial<LockStore>,
): Bug => ({
  name,
  createStore: (port) => {
    const inner = createQuickStore(port).store;
    const whole: LockStore = {
      init: (signal) => inner.init(signal),
      tryLock: (call, signal) => inner.tryLock(call, signal),
      unlock: (call, signal) => inner.unlock(call, signal),
      withdraw: (call) => inner.withdraw(call),
      ping: (signal) => inner.ping(signal),
      close: (grace) => inner.close(grace),
    };
    return { ...whole, ...wrap(inner, port) };
  },
});

const isUnknown = (error: unknown): boolean =>
  error instanceof StoreError && error.outcome === 'unknown';

/** A client that does everything that Holdfast's own does not. */
function createTrustingClient(port: number) {
  const client = createClient({
    socket: { host: '127.0.0.1', port, reconnectStrategy: 20 },
    RESP: 2,
  });
  client.on('error', () => undefined);
  return client;
}

/** Bugs of stores. */
const STORE_BUGS: readonly Bug[] = [
  around('time-out reported as success:false', (store) => ({
    async tryLock(call, signal) {
      try {
        return await store.tryLock(call, signal);
      } catch (error) {
        if (isUnknown(error)) return { acquired: false };
        throw error;
      }
    },
  })),
  around('no withdrawal', () => ({ withdraw: () => Promise.resolve() })),
  around('a late reply passed on as success though the lease is over', (store, port) => {
    const client = createTrustingClient(port);
    return {
      async init(signal) {
        await client.connect();
        await store.init(signal);
      },
      async close() {
        client.destroy();
        await store.close();
      },
      async tryLock({ key, owner, ttlMs }) {
        const expiration = { type: 'PX', value: ttlMs } as const;
        const reply = await client.set(key, owner, { condition: 'NX', expiration });
        return { acquired: reply === 'OK' };
      },
    };
  }),
  around('a queued withdrawal that deletes what a retry was granted', (store, port) => ({
    async tryLock(call, signal) {
      try {
        return await store.tryLock(call, AbortSignal.timeout(100));
      } catch (error) {
        if (!isUnknown(error)) throw error;
        const cleaner = createTrustingClient(port);
        void cleaner
          .connect()
          .then(() => pause(300))
          .then(async () => {
            if ((await cleaner.get(call.key)) === call.owner) await cleaner.del(call.key);
            cleaner.destroy();
          })
          .catch(() => undefined);
        return store.tryLock(call, signal).catch((failure: unknown) => {
          throw isUnknown(failure) ? failure : error;
        });
      }
    },
  })),
  around('calls queued while offline and applied after their deadline', (store, port) => {
    const client = createTrustingClient(port);
    return {
      async init(signal) {
        await client.connect();
        await store.init(signal);
      },
      async close() {
        client.destroy();
        await store.close();
      },
      async tryLock({ key, owner, ttlMs }) {
        const expiration = { type: 'PX', value: ttlMs } as const;
        const late = pause(400, 'late' as const);
        const reply = await Promise.race([
          client.set(key, owner, { condition: 'NX', expiration }),
          late,
        ]);
        if (reply !== 'late') return { acquired: reply === 'OK' };
        throw new StoreError("Redis can't be reached", {
          kind: 'unavailable',
          outcome: 'not-applied',
        });
      },
    };
  }),
  around('store closed with calls in flight', (store) => {
    let onClose = (): void => undefined;
    const closed = new Promise<{ acquired: false }>((resolve) => {
      onClose = () => {
        resolve({ acquired: false });
      };
    });
    return {
      tryLock: (call, signal) => {
        const answer = store.tryLock(call, signal);
        answer.catch(() => undefined);
        return Promise.race([answer, closed]);
      },
      close: (grace) => {
        onClose();
        return store.close(grace);
      },
    };
  }),
];

/** Every animal of the zoo. */
export const BUGS: readonly Bug[] = [...COMMAND_BUGS, ...STORE_BUGS];
