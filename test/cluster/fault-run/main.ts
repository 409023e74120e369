import { setTimeout as pause } from 'node:timers/promises';

import { startBehind } from '../../faults/in-process-sidecar';
import { isLock, isOfQueue } from '../../faults/leftovers';
import type { SidecarUnderTest } from '../../faults/sidecar-under-test';
import { openScene, runStoreFaults } from '../../faults/store-fault-run';
import { TcpProxy } from '../../support/tcp-proxy';
import { createClusterStore } from '../cluster-fixture';
import { FailoverWatch, withoutMissed, withoutTakenBack } from './failover-watch';
import { CLUSTER_FAULTS } from './faults';
import { FaultyCluster } from './faulty-cluster';

/** Time-outs of the sidecars of a run, in milliseconds: the default, and short ones that give many unknown outcomes. */
const TIMEOUTS_MS = [3000, 1500, 600] as const;

/**
 * How many clients of Dapr's API there are. More would make most of the operations, so that a run of a given number would be
 * over before much was waited for.
 */
const CLIENTS = 10;

/**
 * How long nothing is broken after each round, in milliseconds: longer than elsewhere, as a failover makes a round longer.
 */
const CALM_MS = 20_000;

/** The failures that a call may report as certain under these faults. Any other is a mistake. */
const REFUSALS =
  /can't be reached|is moving the slot|another node of the Redis cluster|no master of the Redis cluster|cluster is not complete|cluster is down|has lost its primary|read-only replica|still loading|caller (?:has gone|is no longer waiting)|too late|store is closed|was withdrawn|is stopping|the wait is over|^not sent/;

/** How long a withdrawn lock, a lease or a queue may stay once everything is whole and quiet, in milliseconds. */
const LEFT_MS = 5000;

runStoreFaults(
  {
    name: 'test:cluster-faults',
    description:
      'Checks that lock histories stay valid while a Redis Cluster and the network break.',
    example: '--ops 100000 --seed 7 --minutes 15',
  },
  async () => {
    const server = await FaultyCluster.start();
    return openScene(server, async (sidecars) => {
      for (const timeoutMs of TIMEOUTS_MS) {
        sidecars.push(await start(server, { timeoutMs, host: `127.0.1.${sidecars.length + 1}` }));
      }
      return {
        ...{ clients: CLIENTS, calmMs: CALM_MS, faults: CLUSTER_FAULTS, refusals: REFUSALS },
        watch: await FailoverWatch.of(server),
        toJudged: (seen) => withoutTakenBack(withoutMissed(seen)),
        findLeftovers: () => findLeftovers(server),
      };
    });
  },
);

/** Starts a sidecar whose network has an address of its own. */
async function start(
  server: FaultyCluster,
  { timeoutMs, host }: { readonly timeoutMs: number; readonly host: string },
): Promise<SidecarUnderTest> {
  const proxy = await TcpProxy.startOn(host, server.ports);
  const timeout = `${timeoutMs}ms`;
  const metadata = { readTimeout: timeout, writeTimeout: timeout };
  const create = () => createClusterStore({ metadata: server.metadataAt(host) }, metadata).store;
  return startBehind(proxy, create, timeoutMs);
}

/** Locks and queues that stay when all leases are over and nobody waits. */
async function findLeftovers(server: FaultyCluster): Promise<readonly string[]> {
  await server.untilWhole();
  await pause(LEFT_MS);
  const found: string[] = [];
  for (const master of await server.masters()) {
    const keys = (await server.cluster.ask(master, ['KEYS', '*lock||*'])) as string[];
    for (const key of keys) {
      if (isLock(key)) found.push(`${key} is not free after its expiry`);
      else if (isOfQueue(key)) found.push(`${key} stays though nobody waits`);
    }
  }
  return found;
}
