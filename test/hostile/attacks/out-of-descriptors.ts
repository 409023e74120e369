import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

import { createClient } from 'redis';

import { eventually } from '../../support/eventually';
import type { Attack, AttackTarget } from '../attack';
import { tokenHeader } from '../attack-calls';
import { openSocket } from '../attack-sockets';
import { PROBE_STORE } from '../probe';

/** Descriptors that the sidecar may have. */
const OPEN_FILES = 256;

/** How many connect again and again, so that each descriptor that comes free is taken at once. */
const CALLERS = 300;

/** How long the link may take to be back: a few of its pauses of 250 ms, on a busy machine. */
const BACK_WITHIN_MS = 2000;

/** When a link that is not back is not waited for any longer. */
const GIVE_UP_MS = 8000;

/** Locks and unlocks on a connection that was opened while there were descriptors. */
class LockCalls {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #target: AttackTarget;

  constructor(target: AttackTarget) {
    this.#target = target;
  }

  /** True where both stores answer. */
  async work(action: 'lock' | 'unlock'): Promise<boolean> {
    for (const store of ['lockstore', PROBE_STORE]) {
      if ((await this.#call(action, store)) !== 200) return false;
    }
    return true;
  }

  #call(action: 'lock' | 'unlock', store: string): Promise<number> {
    const body = { resourceId: 'cut', lockOwner: 'o', expiryInSeconds: 60 };
    return new Promise((resolve, reject) => {
      const outgoing = request({
        port: this.#target.httpPort,
        host: '127.0.0.1',
        method: 'POST',
        path: `/v1.0-alpha1/${action}/${store}`,
        headers: tokenHeader(this.#target.token),
        agent: this.#agent,
      });
      outgoing.on('error', reject);
      outgoing.on('response', (response) => {
        response.resume().on('end', () => {
          resolve(response.statusCode!);
        });
      });
      outgoing.end(JSON.stringify(body));
    });
  }
}

/** Takes every connection that is to be had, and each that comes free. */
async function exhaust({ httpPort }: AttackTarget): Promise<void> {
  for (let caller = 0; caller < CALLERS; caller += 1) void keepConnecting(httpPort);
  await eventually(async () => {
    const socket = await openSocket(httpPort);
    const closed = once(socket, 'end').then(() => true);
    const isRefused = await Promise.race([closed, pause(200).then(() => false)]);
    socket.destroy();
    if (!isRefused) throw new Error('connections are left');
  });
}

async function keepConnecting(port: number): Promise<void> {
  for (;;) {
    const socket = await openSocket(port).catch(() => undefined);
    if (socket !== undefined)
      await new Promise((resolve) => socket.once('end', resolve).once('close', resolve));
    socket?.destroy();
    await pause(1);
  }
}

async function cutLinks(redisPort: number): Promise<void> {
  const client = createClient({ socket: { host: '127.0.0.1', port: redisPort }, RESP: 2 });
  client.on('error', () => undefined);
  await client.connect();
  await client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']);
  client.destroy();
}

async function timeUntilBack(calls: LockCalls): Promise<number> {
  const cutAt = performance.now();
  while (performance.now() - cutAt < GIVE_UP_MS) {
    if (await calls.work('lock')) break;
    await pause(20);
  }
  return Math.round(performance.now() - cutAt);
}

/** An attacker who opens connections can take the descriptor that the connection to Redis needs. */
export const outOfDescriptors: Attack = {
  name: 'out-of-descriptors',
  description: 'Connections take every descriptor of the sidecar; then its links to Redis are cut.',
  kind: 'descriptors',
  needs: { token: true, openFiles: OPEN_FILES },
  bounds: {
    failedCalls: 100,
    because: 'calls of the neighbour fail at once while its link to Redis is cut',
  },
  run: async ({ target }) => {
    const calls = new LockCalls(target);
    if (!(await calls.work('lock'))) throw new Error('the store does not work');
    await calls.work('unlock');
    await exhaust(target);
    await cutLinks(target.redisPort);
    const backAfterMs = await timeUntilBack(calls);
    await calls.work('unlock');
    return [{ what: 'ms until locks work again', value: backAfterMs, atMost: BACK_WITHIN_MS }];
  },
};
