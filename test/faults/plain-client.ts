import { createClient } from 'redis';

import { DAPRD_RELEASE } from '../support/daprd-commands';
import { TcpProxy } from '../support/tcp-proxy';
import type { SidecarUnderTest } from './sidecar-under-test';

const UNLOCK_ANSWERS = ['unlocked', 'not_found', 'held_by_other'] as const;

/** Issues daprd's own commands, on a way to Redis of its own; what it can't know it calls unknown. */
export async function startPlainClient(redisPort: number): Promise<SidecarUnderTest> {
  const proxy = await TcpProxy.start(redisPort);
  const client = createClient({
    socket: { host: '127.0.0.1', port: redisPort, reconnectStrategy: 20 },
    RESP: 2,
    disableOfflineQueue: true,
  });
  client.on('error', () => undefined);
  await client.connect();
  return {
    by: 'daprd',
    proxy,
    isUp: true,
    async call({ kind, resourceId, owner, ttlMs }) {
      const key = `lock||myapp||${resourceId}`;
      try {
        if (kind === 'tryLock') {
          const expiration = { type: 'EX', value: ttlMs / 1000 } as const;
          const reply = await client.set(key, owner, { condition: 'NX', expiration });
          return { answer: reply === 'OK' ? 'acquired' : 'refused' };
        }
        const reply = await client.eval(DAPRD_RELEASE, { keys: [key], arguments: [owner] });
        return { answer: UNLOCK_ANSWERS[[1, -1, -2].indexOf(Number(reply))]! };
      } catch (error) {
        return { answer: 'unknown', reason: (error as Error).message };
      }
    },
    async stop() {
      client.destroy();
      await proxy.stop();
    },
  };
}
