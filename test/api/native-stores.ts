import { MetadataProperties } from '../../src/components/metadata-properties';
import type { LockStore } from '../../src/lock/lock-store';
import { createMemoryStore } from '../../src/stores/memory/memory-store';
import { redisDriver } from '../../src/stores/redis/redis-driver';
import { RecordingLogger } from '../support/recording-logger';
import { type RedisServer, startRedisServer } from '../support/redis-server';

/** A kind of store behind the native API, with what it needs to run. */
export interface NativeStores {
  /** Starts the server of the stores, if they have one. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** A store that holds no locks. The last one has been closed. */
  create(): Promise<LockStore>;
}

/** Stores in memory. */
export class MemoryStores implements NativeStores {
  start(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  async create(): Promise<LockStore> {
    return createMemoryStore({ now: () => performance.now() });
  }
}

/** Stores on a real Redis of their own. */
export class RedisStores implements NativeStores {
  #redis: RedisServer | undefined;

  async start(): Promise<void> {
    this.#redis = await startRedisServer();
  }

  async stop(): Promise<void> {
    await this.#redis?.stop();
  }

  async create(): Promise<LockStore> {
    const redis = this.#redis!;
    await redis.inspect((client) => client.flushAll());
    const store = redisDriver.create({
      componentName: 'store',
      properties: new MetadataProperties([['redisHost', `127.0.0.1:${redis.port}`]]),
      logger: new RecordingLogger(),
    });
    await store.init(AbortSignal.timeout(5000));
    return store;
  }
}
