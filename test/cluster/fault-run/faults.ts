import { setTimeout as pause } from 'node:timers/promises';

import type { Fault, Target } from '../../faults/injector';
import { NETWORK_FAULTS } from '../../faults/network-faults';
import type { RedisServer } from '../../support/redis-server';
import type { FaultyCluster } from './faulty-cluster';

/** Something that happens to a master. It is whole again at the end, as a master or as a replica. */
const toAMaster = (
  act: (target: Target<FaultyCluster>, master: RedisServer) => Promise<void>,
): Fault<FaultyCluster> => ({
  isOfAll: true,
  run: async (target) => act(target, await pickMaster(target)),
});

/** A master that is to be hit, and with it only the locks in its slots. */
async function pickMaster({
  server,
  random,
  limitTo,
}: Target<FaultyCluster>): Promise<RedisServer> {
  const master = await server.pickMaster(random);
  limitTo(await server.locksOf(master));
  return master;
}

/** Every kind of fault of a run on a Redis Cluster, by the name that the report gives it. */
export const CLUSTER_FAULTS: Readonly<Record<string, Fault<FaultyCluster>>> = {
  ...NETWORK_FAULTS,
  'one node cut off from one sidecar': {
    run: async (target) => {
      const { proxy } = target.sidecar;
      proxy.silentPort = (await pickMaster(target)).port;
      await pause(target.random.between(20, 700));
      proxy.heal();
    },
  },
  'master paused': toAMaster(async ({ random }, master) => {
    master.pause();
    await pause(random.between(50, 700));
    master.resume();
  }),
  'master paused until it is replaced': toAMaster(async ({ server }, master) => {
    master.pause();
    await server.untilReplaced(master).finally(() => {
      master.resume();
    });
    await server.untilWhole();
  }),
  'master killed until it is replaced': toAMaster(async ({ server }, master) => {
    await master.kill();
    await server.untilReplaced(master);
    await server.cluster.restart(master);
    await server.untilWhole();
  }),
  'master killed, data kept': toAMaster(async ({ server, random }, master) => {
    await master.kill();
    await pause(random.between(0, 300));
    await server.cluster.restart(master);
    await server.untilWhole();
  }),
  'master demoted': toAMaster(async ({ server }, master) => {
    await server.demote(master);
    await server.untilReplaced(master);
    await server.untilWhole();
  }),
  'slots moved': toAMaster(async ({ server, random }, master) => {
    await server.moveSlots(master, random);
  }),
  'sidecar replaced': {
    run: async ({ sidecar }) => sidecar.mishaps?.restart('SIGTERM'),
  },
};
