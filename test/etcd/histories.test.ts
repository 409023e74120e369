import { setTimeout as pause } from 'node:timers/promises';

import type { FaultWindow, Operation } from '../faults/history';
import { startInProcess } from '../faults/in-process-sidecar';
import { FAULTS } from '../faults/injector';
import { findViolations } from '../faults/linearizability';
import { Random } from '../faults/random';
import { newRunName, type SidecarUnderTest } from '../faults/sidecar-under-test';
import { Workload } from '../faults/workload';
import { type EtcdCluster, startEtcd } from '../support/etcd-server';
import { findLeader } from './etcd-admin';
import { createEtcd } from './etcd-fixture';

/** How many calls; a long run sets more. */
const OPERATIONS = Number(process.env.HOLDFAST_ETCD_OPERATIONS ?? 10_000);

/**
 * How much longer than asked a lease may last: rounding, the interval in which etcd looks for what
 * has ended, and one election, after which it begins anew.
 */
const LASTS_LONGER_MS = 8000;

/** Faults of the network between a sidecar and its member. */
const OF_NETWORK = [
  'reply dropped, then cut',
  'replies dropped',
  'requests dropped',
  'half-open',
  'delay',
  'held back and delivered late',
  'cut mid-reply',
  'connection cut',
  'connections refused',
] as const;

/** Breaks the network, members and sidecars until it is told to stop. */
class Faults {
  readonly windows: FaultWindow[] = [];
  readonly #etcd: EtcdCluster;
  readonly #sidecars: readonly SidecarUnderTest[];
  readonly #random: Random;
  readonly #running: Promise<void>;
  #isOver = false;

  constructor(etcd: EtcdCluster, sidecars: readonly SidecarUnderTest[], random: Random) {
    this.#etcd = etcd;
    this.#sidecars = sidecars;
    this.#random = random;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    const kinds = [...OF_NETWORK, 'member paused', 'leader killed', 'sidecar stopped'] as const;
    let round: (typeof kinds)[number][] = [];
    while (!this.#isOver) {
      // Every kind in turn, in another order each round.
      if (round.length === 0) round = [...kinds].sort(() => this.#random.next() - 0.5);
      const kind = round.pop() ?? 'delay';
      const fromMs = performance.now();
      await this.#break(kind);
      this.windows.push({ kind, fromMs, toMs: performance.now(), losesData: false });
      await pause(this.#random.between(50, 500));
    }
  }

  async #break(kind: string): Promise<void> {
    const random = this.#random;
    const { members } = this.#etcd;
    const sidecar = random.pick(this.#sidecars);
    if (kind === 'member paused') {
      const member = random.pick(members);
      member.pause();
      await pause(random.between(50, 2500));
      member.resume();
    } else if (kind === 'leader killed') {
      const leader = await findLeader(members);
      await leader?.kill();
      await pause(random.between(0, 1500));
      if (leader !== undefined) this.#etcd.relaunch(leader);
      await pause(1500);
    } else if (kind === 'sidecar stopped') await sidecar.mishaps?.restart('SIGTERM');
    // The faults of a network need no Redis.
    else await FAULTS[kind]!.run({ sidecar, random, redis: undefined as never });
  }
}

describe('the histories of locks on a cluster of three members under faults', () => {
  it(
    'are valid: one holder at a time, and no false answer',
    async () => {
      const seed = Math.floor(Math.random() * 1e9);
      const random = new Random(seed);
      const etcd = await startEtcd({ members: 3 });
      const others = (at: number) =>
        etcd.members.filter((_, index) => index !== at).map(({ endpoint }) => endpoint);
      const sidecars = await Promise.all(
        etcd.members.map((member, at) =>
          startInProcess(member.port, (port) => {
            const endpoints = [`127.0.0.1:${port}`, ...others(at)].join(',');
            return createEtcd(endpoints, { requestTimeout: at === 0 ? '3s' : '400ms' }).store;
          }),
        ),
      );
      const workload = new Workload({
        ...{ sidecars, clients: 24, nativeClients: 0, keys: 12, operations: OPERATIONS },
        ...{ deadlineMs: 15_000, random: random.fork(), run: newRunName() },
      });
      const faults = new Faults(etcd, sidecars, random.fork());
      try {
        await workload.run();
        await faults.stop();
      } finally {
        await Promise.all(sidecars.map((sidecar) => sidecar.stop()));
        await etcd.stop();
      }
      const operations = workload.recorder.operations.map(lastingLonger);
      const violations = findViolations({ operations, faults: faults.windows });
      const count = (answer: Operation['answer']) =>
        operations.filter((operation) => operation.answer === answer).length;
      process.stdout.write(
        `seed ${seed}: ${operations.length} calls, ${count('acquired')} acquired, ${count('unlocked')} unlocked, ${count('unknown')} unknown, ${count('not-applied')} failed, ${faults.windows.length} faults, ${violations.length} violations\n`,
      );
      expect(violations.slice(0, 3)).toEqual([]);
      expect(count('acquired')).toBeGreaterThan(OPERATIONS / 100);
    },
    30 * 60_000,
  );
});

/** Leases on etcd last longer than asked: what was granted may stand for longer, but need not. */
function lastingLonger(operation: Operation): Operation {
  const { returnedAtMs, ttlMs, answer } = operation;
  if (answer !== 'acquired' && answer !== 'unknown') return operation;
  return { ...operation, mayLastUntilMs: returnedAtMs + ttlMs + LASTS_LONGER_MS };
}
