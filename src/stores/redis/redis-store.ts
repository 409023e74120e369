import { toErrorMessage } from '../../lock/error-message';
import { type LockStore, StoreError, type UnlockOutcome } from '../../lock/lock-store';
import type { Logger } from '../../lock/logger';
import { RedisConnection } from './redis-connection';
import type { RedisClient } from './redis-link';
import type { RedisSettings } from './redis-settings';
import { RELEASE_REPLY, releaseScript } from './scripts';
import { ScriptRunner } from './script-runner';
import { checkServer } from './server-checks';

/**
 * Makes the store of one Redis (`lock.redis`). Its keys and values are byte for byte daprd's
 * (dapr/components-contrib lock/redis/standalone.go), so that both can share one Redis.
 *
 * TryLock and Unlock are one command each. A command is sent once: where its reply is lost the
 * call fails with outcome `unknown`, while daprd sends it again and finds its own lock in the way.
 */
export function createRedisStore(options: {
  readonly settings: RedisSettings;
  readonly logger: Logger;
}): LockStore {
  const { settings, logger } = options;
  const connection = new RedisConnection(options);
  const scripts = new ScriptRunner();

  return {
    async init(signal) {
      await connect(connection, signal);
      await connection.run({ timeoutMs: settings.dialTimeoutMs, signal }, (client) =>
        checkServer(client, logger),
      );
    },

    async tryLock({ key, owner, ttlMs }, signal) {
      const sentAt = performance.now();
      const acquired = await connection.run(
        { timeoutMs: settings.writeTimeoutMs, signal },
        (client) => acquire(client, { key, owner, ttlMs }),
      );
      // A lease counts from the call: one that is over by now must not be handed out as held.
      if (acquired && performance.now() - sentAt >= ttlMs) throw leaseOver();
      return { acquired };
    },

    unlock({ key, owner }, signal) {
      return connection.run({ timeoutMs: settings.readTimeoutMs, signal }, async (client) =>
        toUnlockOutcome(
          await scripts.run(client, { script: releaseScript, keys: [key], args: [owner] }),
        ),
      );
    },

    async ping(signal) {
      await connection.run({ timeoutMs: settings.readTimeoutMs, signal }, (client) =>
        client.ping(),
      );
    },

    close() {
      connection.close();
      return Promise.resolve();
    },
  };
}

async function connect(connection: RedisConnection, signal: AbortSignal): Promise<void> {
  try {
    await connection.open(signal);
  } catch (cause) {
    throw new StoreError(`error connecting to Redis: ${toErrorMessage(cause)}`, {
      kind: 'unavailable',
      outcome: 'not-applied',
      cause,
    });
  }
}

/** daprd's own command but for the unit of the expiry. */
async function acquire(
  client: RedisClient,
  lock: { readonly key: string; readonly owner: string; readonly ttlMs: number },
): Promise<boolean> {
  const reply = await client.set(lock.key, lock.owner, {
    condition: 'NX',
    expiration: { type: 'PX', value: lock.ttlMs },
  });
  if (reply === 'OK') return true;
  if (reply === null) return false;
  throw noAnswer('SET', reply);
}

function toUnlockOutcome(reply: unknown): UnlockOutcome {
  if (reply === RELEASE_REPLY.gone) return 'not-found';
  if (reply === RELEASE_REPLY.heldByOther) return 'held-by-other';
  if (typeof reply === 'number' && reply >= 0) return 'unlocked';
  throw noAnswer('the release script', reply);
}

function noAnswer(command: string, reply: unknown): StoreError {
  return new StoreError(
    `Redis answered ${command} with what is no answer to it (${typeof reply}), the outcome is unknown`,
    { kind: 'protocol', outcome: 'unknown' },
  );
}

function leaseOver(): StoreError {
  return new StoreError('the lease was over before the reply of Redis came, nothing is held', {
    kind: 'deadline',
    outcome: 'unknown',
  });
}
