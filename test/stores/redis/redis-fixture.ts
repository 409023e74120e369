import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

import { MetadataProperties } from '../../../src/components/metadata-properties';
import { createAttempt } from '../../../src/lock/attempt';
import type { LockStore, TryLockCall } from '../../../src/lock/lock-store';
import { LockCommands } from '../../../src/stores/redis/lock-commands';
import { redisDriver } from '../../../src/stores/redis/redis-driver';
import { parseRedisSettings } from '../../../src/stores/redis/redis-settings';
import { createRedisStore } from '../../../src/stores/redis/redis-store';
import { RecordingLogger } from '../../support/recording-logger';
import { MASTER_NAME, type SentinelSetup } from '../../support/sentinel-setup';

/** A store of `lock.redis` and the log that it writes. */
export interface StoreFixture {
  readonly store: LockStore;
  readonly logger: RecordingLogger;
}

/** Makes a store for the Redis on a port; it is not initialised. */
export function createStore(
  port: number,
  metadata: Readonly<Record<string, string>> = {},
): StoreFixture {
  const logger = new RecordingLogger();
  const store = redisDriver.create({
    componentName: 'lockstore',
    properties: new MetadataProperties(
      Object.entries({ redisHost: `127.0.0.1:${port}`, ...metadata }),
    ),
    logger,
  });
  return { store, logger };
}

/** How long a send of {@link createQuickStore} waits for its reply, in milliseconds. */
export const QUICK_SEND_MS = 200;

/**
 * Makes a store whose sends wait 200 ms, or as long as is said, and whose calls wait 3 s: what the defaults are
 * in small, which no component can set, as a time-out that it sets bounds the whole call.
 */
export function createQuickStore(
  port: number,
  { commands = new LockCommands(), tryTimeoutMs = QUICK_SEND_MS } = {},
): StoreFixture {
  const logger = new RecordingLogger();
  const properties = new MetadataProperties([['redisHost', `127.0.0.1:${port}`]]);
  const settings = {
    ...parseRedisSettings(properties),
    readTimeoutMs: tryTimeoutMs,
    writeTimeoutMs: tryTimeoutMs,
    unlockTimeoutMs: 3000,
    tryLockTimeoutMs: 3000,
  };
  return { store: createRedisStore({ settings, logger, commands }), logger };
}

/** A signal that never aborts. */
export const noAbort = (): AbortSignal => new AbortController().signal;

/** A try for a lock of a minute. */
export const tryLockCall = (key: string, owner = 'a'): TryLockCall => ({
  key,
  owner,
  ttlMs: 60_000,
  attempt: createAttempt(),
});

/** A TCP server that answers as it is told, for what no Redis does. */
export class FakeServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(onData: (socket: Socket, data: string) => void) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('data', (data) => {
        onData(socket, data.toString());
      });
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
  }
}

/**
 * Answers the handshake of a connection as a Redis does, and every other command with the reply
 * given: `onData` of a {@link FakeServer}. Commands of one packet are told apart by their names.
 */
export function answerAll(reply: string): (socket: Socket, data: string) => void {
  const handshake: Readonly<Record<string, () => string>> = {
    PING: () => '+PONG\r\n',
    INFO: () => '$0\r\n\r\n',
    TIME: () => {
      const seconds = String(Math.floor(Date.now() / 1000));
      return `*2\r\n$${seconds.length}\r\n${seconds}\r\n$1\r\n0\r\n`;
    },
  };
  return (socket, data) => {
    for (const [, name = ''] of data.matchAll(/\*\d+\r\n\$\d+\r\n(\w+)\r\n/g)) {
      socket.write(handshake[name]?.() ?? reply);
    }
  };
}

/** Makes a store behind real Sentinels; it is not initialised. */
export function createSentinelStore(
  setup: SentinelSetup,
  metadata: Readonly<Record<string, string>> = {},
): StoreFixture {
  return createStore(0, {
    redisHost: setup.redisHost,
    failover: 'true',
    sentinelMasterName: MASTER_NAME,
    ...metadata,
  });
}
