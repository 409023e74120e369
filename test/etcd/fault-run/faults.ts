import { setTimeout as pause } from 'node:timers/promises';

import type { Fault } from '../../faults/injector';
import { NETWORK_FAULTS } from '../../faults/network-faults';
import type { EtcdCluster } from '../../support/etcd-server';
import { findLeader } from '../etcd-admin';

/** Every kind of fault of a run on etcd, by the name that the report gives it. */
export const ETCD_FAULTS: Readonly<Record<string, Fault<EtcdCluster>>> = {
  ...NETWORK_FAULTS,
  'member paused': {
    isOfAll: true,
    run: async ({ server, random }) => {
      const member = random.pick(server.members);
      member.pause();
      await pause(random.between(50, 2500));
      member.resume();
    },
  },
  'leader killed': {
    isOfAll: true,
    run: async ({ server, random }) => {
      const leader = await findLeader(server.members);
      await leader?.kill();
      await pause(random.between(0, 1500));
      if (leader !== undefined) server.relaunch(leader);
      await pause(1500);
    },
  },
  'sidecar stopped': {
    run: async ({ sidecar }) => sidecar.mishaps?.restart('SIGTERM'),
  },
};
