import { rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import type { RedisServer } from '../support/redis-server';
import type { TcpProxy } from '../support/tcp-proxy';
import type { FaultWindow } from './history';
import type { Random } from './random';

interface Target {
  readonly redis: RedisServer;
  readonly proxies: readonly TcpProxy[];
  readonly random: Random;
}

interface Fault {
  readonly losesData?: boolean;
  readonly run: (target: Target) => Promise<void>;
}

/** A fault of the network between one sidecar and Redis, for a while. */
const onOneProxy =
  (act: (proxy: TcpProxy, random: Random) => void | Promise<void>, longestMs = 400) =>
  async ({ proxies, random }: Target): Promise<void> => {
    const proxy = random.pick(proxies);
    await act(proxy, random);
    await pause(random.between(20, longestMs));
    proxy.heal();
  };

const restart = async ({ redis, random }: Target, before: () => Promise<void>): Promise<void> => {
  await redis.kill();
  await before();
  await pause(random.between(0, 200));
  await redis.start();
};

/** Every kind of fault, by the name that the report gives it. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  'reply dropped, then cut': {
    run: onOneProxy(async (proxy, random) => {
      proxy.dropReplies = true;
      await pause(random.between(1, 30));
      proxy.dropReplies = false;
      proxy.cut();
    }, 30),
  },
  'replies dropped': {
    run: onOneProxy((proxy) => {
      proxy.dropReplies = true;
    }),
  },
  'requests dropped': {
    run: onOneProxy((proxy) => {
      proxy.dropRequests = true;
    }),
  },
  'half-open': {
    run: onOneProxy((proxy) => {
      proxy.dropRequests = true;
      proxy.dropReplies = true;
    }, 700),
  },
  delay: {
    run: onOneProxy((proxy, random) => {
      proxy.delayMs = random.between(5, 150);
    }),
  },
  'held back and delivered late': {
    run: async ({ proxies, random }) => {
      const proxy = random.pick(proxies);
      proxy.holdRequests = true;
      await pause(random.between(5, 50));
      proxy.holdRequests = false;
      proxy.cut();
      await pause(random.between(5, 600));
      proxy.deliverHeld();
    },
  },
  'cut mid-reply': {
    run: onOneProxy((proxy) => {
      proxy.cutNextReply = true;
    }, 50),
  },
  'connection cut': {
    run: onOneProxy((proxy) => {
      proxy.cut();
    }, 50),
  },
  'connections refused': {
    run: onOneProxy((proxy) => {
      proxy.refuse = true;
      proxy.cut();
    }),
  },
  'Redis paused': {
    run: async ({ redis, random }) => {
      redis.pause();
      await pause(random.between(50, random.chance(0.1) ? 3500 : 500));
      redis.resume();
    },
  },
  'kill -9, data kept': {
    run: (target) => restart(target, () => Promise.resolve()),
  },
  'kill -9, data lost': {
    losesData: true,
    run: (target) =>
      restart(target, () =>
        rm(path.join(target.redis.folder, 'appendonlydir'), { recursive: true, force: true }),
      ),
  },
  FLUSHALL: {
    losesData: true,
    run: async ({ redis }) => {
      await redis.inspect((client) => client.flushAll());
    },
  },
  'SCRIPT FLUSH': {
    run: async ({ redis }) => {
      await redis.inspect((client) => client.scriptFlush());
    },
  },
  'CLIENT KILL': {
    run: async ({ redis }) => {
      await redis.inspect((client) =>
        client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']),
      );
    },
  },
};

/** Breaks things one after another, in an order that the seed gives, until it is told to stop. */
export class Injector {
  readonly windows: FaultWindow[] = [];
  readonly #target: Target;
  #stopping = false;
  #running: Promise<void> | undefined;

  constructor(target: Target) {
    this.#target = target;
  }

  /** Starts breaking things. */
  start(): void {
    this.#running = this.#run();
  }

  /** Stops, with everything whole again. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
    for (const proxy of this.#target.proxies) proxy.heal();
  }

  async #run(): Promise<void> {
    const { random } = this.#target;
    // Every kind in turn, shuffled anew each round, so that none is left out of a short run.
    for (;;) {
      const round = Object.entries(FAULTS).sort(() => random.next() - 0.5);
      for (const [kind, { run, losesData = false }] of round) {
        if (this.#stopping) return;
        const fromMs = performance.now();
        await run(this.#target);
        this.windows.push({ kind, fromMs, toMs: performance.now(), losesData });
        await pause(random.between(50, 400));
      }
    }
  }
}
