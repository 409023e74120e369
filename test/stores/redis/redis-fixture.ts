import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

import { MetadataProperties } from '../../../src/components/metadata-properties';
import type { LockStore, TryLockCall } from '../../../src/lock/lock-store';
import { redisDriver } from '../../../src/stores/redis/redis-driver';
import { RecordingLogger } from '../../support/recording-logger';

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

/** A signal that never aborts. */
export const noAbort = (): AbortSignal => new AbortController().signal;

/** A try for a lock of a minute. */
export const tryLockCall = (key: string, owner = 'a'): TryLockCall => ({
  key,
  owner,
  ttlMs: 60_000,
  attempt: 'attempt',
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
