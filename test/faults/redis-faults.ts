import { rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import type { RedisServer } from '../support/redis-server';
import type { Fault, Target } from './injector';
import { NETWORK_FAULTS } from './network-faults';
import type { Mishaps } from './sidecar-under-test';

const restart = async (
  { server, random }: Target<RedisServer>,
  before: () => Promise<void>,
): Promise<void> => {
  await server.kill();
  await before();
  await pause(random.between(0, 200));
  await server.start();
};

/** A sidecar that is ended by a signal, and another that takes its place. */
const replacing = (signal: Mishaps['signals'][number]): Fault<RedisServer> => ({
  hits: ({ mishaps }) => mishaps?.signals.includes(signal) === true,
  run: async ({ sidecar }) => sidecar.mishaps?.restart(signal),
});

/** Every kind of fault of a run on Redis, by the name that the report gives it. */
export const REDIS_FAULTS: Readonly<Record<string, Fault<RedisServer>>> = {
  ...NETWORK_FAULTS,
  'Redis paused': {
    isOfAll: true,
    run: async ({ server, random }) => {
      server.pause();
      await pause(random.between(50, random.chance(0.1) ? 3500 : 500));
      server.resume();
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
        rm(path.join(target.server.folder, 'appendonlydir'), { recursive: true, force: true }),
      ),
  },
  FLUSHALL: {
    isOfAll: true,
    losesData: true,
    run: async ({ server }) => {
      await server.inspect((client) => client.flushAll());
    },
  },
  'SCRIPT FLUSH': {
    isOfAll: true,
    run: async ({ server }) => {
      await server.inspect((client) => client.scriptFlush());
    },
  },
  'CLIENT KILL': {
    isOfAll: true,
    run: async ({ server }) => {
      await server.inspect((client) =>
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
