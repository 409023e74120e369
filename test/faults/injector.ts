import { rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import type { RedisServer } from '../support/redis-server';
import type { TcpProxy } from '../support/tcp-proxy';
import type { FaultWindow } from './history';
import type { Random } from './random';
import type { Mishaps, SidecarUnderTest } from './sidecar-under-test';

/** How long nothing is broken after each round: only then waits have to be served at once. */
const CALM_MS = 3000;

interface Target {
  readonly redis: RedisServer;
  /** The sidecar that is hit, where the fault hits one. */
  readonly sidecar: SidecarUnderTest;
  readonly random: Random;
}

interface Fault {
  readonly losesData?: boolean;
  /** True where it hits all sidecars. */
  readonly isOfAll?: boolean;
  /** Whether a sidecar can be hit by it; any where this is left out. */
  readonly hits?: (sidecar: SidecarUnderTest) => boolean;
  readonly run: (target: Target) => Promise<void>;
}

/** A fault of the network between one sidecar and Redis, for a while. */
const onOneProxy =
  (act: (proxy: TcpProxy, random: Random) => void | Promise<void>, longestMs = 400) =>
  async ({ sidecar: { proxy }, random }: Target): Promise<void> => {
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

/** A sidecar that is ended by a signal, and another that takes its place. */
const replacing = (signal: Mishaps['signals'][number]): Fault => ({
  hits: ({ mishaps }) => mishaps?.signals.includes(signal) === true,
  run: async ({ sidecar }) => sidecar.mishaps?.restart(signal),
});

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
    run: async ({ sidecar: { proxy }, random }) => {
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
    isOfAll: true,
    run: async ({ redis, random }) => {
      redis.pause();
      await pause(random.between(50, random.chance(0.1) ? 3500 : 500));
      redis.resume();
    },
  },
  'kill -9, data kept': {
    isOfAll: true,
    run: (target) => restart(target, () => Promise.resolve()),
  },
  'kill -9, data lost': {
    isOfAll: true,
    losesData: true,
    run: (target) =>
      restart(target, () =>
        rm(path.join(target.redis.folder, 'appendonlydir'), { recursive: true, force: true }),
      ),
  },
  FLUSHALL: {
    isOfAll: true,
    losesData: true,
    run: async ({ redis }) => {
      await redis.inspect((client) => client.flushAll());
    },
  },
  'SCRIPT FLUSH': {
    isOfAll: true,
    run: async ({ redis }) => {
      await redis.inspect((client) => client.scriptFlush());
    },
  },
  'CLIENT KILL': {
    isOfAll: true,
    run: async ({ redis }) => {
      await redis.inspect((client) =>
        client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']),
      );
    },
  },
  'sidecar paused': {
    hits: ({ mishaps }) => mishaps?.pause !== undefined,
    run: async ({ sidecar: { mishaps }, random }) => {
      mishaps?.pause?.();
      await pause(random.between(50, random.chance(0.2) ? 3500 : 500));
      mishaps?.resume?.();
    },
  },
  'sidecar stopped': replacing('SIGTERM'),
  'sidecar killed': replacing('SIGKILL'),
};

/** Breaks things one after another, in an order that the seed gives, until it is told to stop. */
export class Injector {
  readonly windows: FaultWindow[] = [];
  readonly #redis: RedisServer;
  readonly #sidecars: readonly SidecarUnderTest[];
  readonly #random: Random;
  #stopping = false;
  #running: Promise<void> | undefined;

  constructor(options: {
    readonly redis: RedisServer;
    readonly sidecars: readonly SidecarUnderTest[];
    readonly random: Random;
  }) {
    this.#redis = options.redis;
    this.#sidecars = options.sidecars;
    this.#random = options.random;
  }

  /** Starts breaking things. */
  start(): void {
    this.#running = this.#run();
  }

  /** Stops, with everything whole again. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
    for (const { proxy } of this.#sidecars) proxy.heal();
  }

  async #run(): Promise<void> {
    const random = this.#random;
    // Every kind in turn, shuffled anew each round, so that none is left out of a short run.
    for (;;) {
      const round = Object.entries(FAULTS).sort(() => random.next() - 0.5);
      for (const [kind, fault] of round) {
        if (this.#stopping) return;
        await this.#break(kind, fault);
        await pause(random.between(50, 400));
      }
      for (let waitedMs = 0; waitedMs < CALM_MS && !this.#stopping; waitedMs += 100) {
        await pause(100);
      }
    }
  }

  async #break(kind: string, { run, hits, isOfAll, losesData = false }: Fault): Promise<void> {
    const [redis, random] = [this.#redis, this.#random];
    const within = this.#sidecars.filter((each) => hits?.(each) ?? true);
    if (within.length === 0) return;
    const sidecar = random.pick(within);
    const fromMs = performance.now();
    await run({ redis, sidecar, random });
    const hit = isOfAll === true ? {} : { sidecar: this.#sidecars.indexOf(sidecar) };
    this.windows.push({ kind, fromMs, toMs: performance.now(), losesData, ...hit });
  }
}
