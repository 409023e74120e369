import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

import { callHttp } from '../../support/http-call';
import type { Attack, AttackNeeds, AttackSize } from '../attack';
import { tokenHeader } from '../attack-calls';

/** How a reply begins that never ends, and what then comes again and again. */
interface EndlessReply {
  readonly begin: string;
  readonly again: Buffer;
}

const MEBIBYTE = 1 << 20;

/** One for each shape of RESP that has no end of its own. */
const REPLIES: Readonly<Record<string, EndlessReply>> = {
  'bulk string': { begin: '$4294967296\r\n', again: Buffer.alloc(MEBIBYTE, 'x') },
  'simple string': { begin: '+', again: Buffer.alloc(MEBIBYTE, 'x') },
  error: { begin: '-ERR ', again: Buffer.alloc(MEBIBYTE, 'x') },
  number: { begin: ':', again: Buffer.alloc(MEBIBYTE, '1') },
  array: { begin: '*4294967295\r\n', again: Buffer.from(':1\r\n'.repeat(MEBIBYTE / 4)) },
  'nested arrays': { begin: '', again: Buffer.from('*1\r\n'.repeat(MEBIBYTE / 4)) },
  'replies to nothing': { begin: '', again: Buffer.from('+OK\r\n'.repeat(MEBIBYTE / 5)) },
};

/** How long each reply goes on. */
const EACH_MS: Readonly<Record<AttackSize, number>> = { small: 1000, full: 3000 };

/**
 * A Redis that is one until it is told otherwise: everything goes to the real one and back. From then
 * on each request, on each connection, is answered by a reply without an end.
 */
class EndlessRedis {
  endless: EndlessReply | undefined;
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  constructor(redisPort: number) {
    this.#server = createServer((client) => {
      this.#accept(client, redisPort);
    });
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  /** The real Redis again, by new connections. */
  heal(): void {
    this.endless = undefined;
    for (const client of this.#open) client.destroy();
  }

  #accept(client: Socket, redisPort: number): void {
    this.#open.add(client);
    const redis = connect({ host: '127.0.0.1', port: redisPort });
    for (const socket of [client, redis]) socket.on('error', () => undefined);
    client.on('close', () => {
      this.#open.delete(client);
      redis.destroy();
    });
    redis.on('close', () => client.destroy());
    redis.on('data', (data) => client.write(data));
    let isPouring = false;
    client.on('data', (data) => {
      if (this.endless === undefined) redis.write(data);
      else if (!isPouring) {
        isPouring = true;
        void this.#pour(client, this.endless);
      }
    });
  }

  async #pour(client: Socket, { begin, again }: EndlessReply): Promise<void> {
    client.write(begin);
    while (!client.destroyed && this.endless !== undefined) {
      await new Promise<unknown>((resolve) => client.write(again, resolve));
    }
  }
}

let redis: EndlessRedis | undefined;

/** The answer to a lock call on the hostile store does not matter. That the store is asked does. */
async function call(port: number, token: string | undefined): Promise<number> {
  const { status } = await callHttp(port, {
    path: '/v1.0-alpha1/lock/hostilestore',
    headers: tokenHeader(token),
    body: JSON.stringify({ resourceId: 'r', lockOwner: 'o', expiryInSeconds: 1 }),
  });
  return status;
}

/** A Redis that was taken over, or is none. */
export const redisEndlessReply: Attack = {
  name: 'redis-endless-reply',
  description: 'The Redis of another store answers lock calls with replies that never end.',
  kind: 'memory',
  needs: { token: true },
  prepare: async ({ redisPort }): Promise<AttackNeeds> => {
    redis = new EndlessRedis(redisPort);
    const metadata = { redisHost: `127.0.0.1:${await redis.listen()}`, keyPrefix: 'hostile' };
    return { components: [{ name: 'hostilestore', type: 'lock.redis', metadata }] };
  },
  run: async ({ target: { httpPort, token }, size }) => {
    if ((await call(httpPort, token)) !== 200) throw new Error('the store does not work');
    for (const reply of Object.values(REPLIES)) {
      redis!.endless = reply;
      void call(httpPort, token).catch(() => undefined);
      await pause(EACH_MS[size]);
      redis!.heal();
      // By then it has a new connection, of which the next reply never ends.
      await pause(300);
    }
    return undefined;
  },
};
