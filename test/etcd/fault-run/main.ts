import { setTimeout as pause } from 'node:timers/promises';

import { startBehind } from '../../faults/in-process-sidecar';
import type { SidecarUnderTest } from '../../faults/sidecar-under-test';
import type { ServerProbe } from '../../faults/stall-watch';
import { openScene, runStoreFaults } from '../../faults/store-fault-run';
import { type EtcdCluster, startEtcd } from '../../support/etcd-server';
import { TcpProxy } from '../../support/tcp-proxy';
import { callGateway, toBase64 } from '../etcd-admin';
import { createEtcd } from '../etcd-fixture';
import { ElectionWatch } from './election-watch';
import { ETCD_FAULTS } from './faults';
import { asOnEtcd } from './lease-lengths';

/** Time-outs of the sidecars of a run, in milliseconds: the default, and short ones that give many unknown outcomes. */
const TIMEOUTS_MS = [3000, 1000, 400] as const;

/** The failures that a call may report as certain under these faults. Any other is a mistake. */
const REFUSALS =
  /can't be reached|knows no leader|too many requests|caller (?:has gone|is no longer waiting)|too late|store is closed|was withdrawn|is stopping|the wait is over|^not sent/;

/**
 * How long a withdrawn lock, a lease or a ticket may stay once everything is whole and quiet, in milliseconds: leases are
 * a second longer than asked, and begin anew if there is an election.
 */
const LEFT_MS = 8000;

/** How long nothing is broken after each round of faults: after the last one, sends are silent for seconds. */
const CALM_MS = 20_000;

runStoreFaults(
  {
    name: 'test:etcd-faults',
    description:
      'Checks that lock histories stay valid while a cluster of etcd and the network break.',
    example: '--ops 100000 --seed 7 --minutes 20',
  },
  async () => {
    const server = await startEtcd({ members: 3 });
    return openScene(server, async (sidecars) => {
      for (const timeoutMs of TIMEOUTS_MS) {
        sidecars.push(await start(server, { timeoutMs, at: sidecars.length }));
      }
      return {
        ...{ faults: ETCD_FAULTS, refusals: REFUSALS, calmMs: CALM_MS },
        probe: createProbe(server),
        watch: new ElectionWatch(server),
        toJudged: asOnEtcd,
        findLeftovers: () => findLeftovers(server),
      };
    });
  },
);

/** Starts a sidecar with a network of its own to all members, and a first member of its own. */
async function start(
  { members }: EtcdCluster,
  { timeoutMs, at }: { readonly timeoutMs: number; readonly at: number },
): Promise<SidecarUnderTest> {
  const host = `127.0.2.${at + 1}`;
  const ports = [...members.slice(at), ...members.slice(0, at)].map(({ port }) => port);
  const proxy = await TcpProxy.startOn(host, ports);
  const endpoints = ports.map((port) => `${host}:${port}`).join(',');
  const create = () => createEtcd(endpoints, { requestTimeout: `${timeoutMs}ms` }).store;
  return startBehind(proxy, create, timeoutMs);
}

/** Asks all members, of which one may be slow: what two agree on is no standstill. */
function createProbe({ members }: EtcdCluster): ServerProbe {
  const question = { key: toBase64('probe') };
  return {
    ask: () => Promise.any(members.map((member) => callGateway(member, 'kv/range', question))),
    close: () => undefined,
  };
}

/** Locks and tickets that stay when all leases are over and nobody waits. */
async function findLeftovers({ members }: EtcdCluster): Promise<readonly string[]> {
  await pause(LEFT_MS);
  // The keys from "lock" to before "locl": locks, tickets, and the traces of releases, which end later.
  const range = { key: toBase64('lock'), range_end: toBase64('locl'), keys_only: true };
  const { kvs = [] } = (await callGateway(members[0]!, 'kv/range', range)) as {
    readonly kvs?: readonly { readonly key: string }[];
  };
  return kvs
    .map(({ key }) => Buffer.from(key, 'base64').toString())
    .filter((key) => key.startsWith('lock||') || key.startsWith('lock-queue||'))
    .map((key) => `${key} stays though nobody uses it`);
}
