import type { Operation } from '../faults/history';
import { startInProcess } from '../faults/in-process-sidecar';
import { Injector } from '../faults/injector';
import { findViolations } from '../faults/linearizability';
import { Random } from '../faults/random';
import { newRunName } from '../faults/sidecar-under-test';
import { Workload } from '../faults/workload';
import { startEtcd } from '../support/etcd-server';
import { createEtcd } from './etcd-fixture';
import { ETCD_FAULTS } from './faults';

/** How many calls; a long run sets more. */
const OPERATIONS = Number(process.env.HOLDFAST_ETCD_OPERATIONS ?? 10_000);

/**
 * How much longer than asked a lease may last: rounding, the interval in which etcd looks for what
 * has ended, and one election, after which it begins anew.
 */
const LASTS_LONGER_MS = 8000;

describe('the histories of locks on a cluster of three members under faults', () => {
  it(
    'are valid: one holder at a time, and no false answer',
    async () => {
      const seed = Math.floor(Math.random() * 1e9);
      const random = new Random(seed);
      const etcd = await startEtcd({ members: 3 });
      const others = (at: number) =>
        etcd.members.filter((_, index) => index !== at).map(({ endpoint }) => endpoint);
      const timeoutMs = (at: number) => (at === 0 ? 3000 : 400);
      const sidecars = await Promise.all(
        etcd.members.map((member, at) =>
          startInProcess(
            member.port,
            (port) => {
              const endpoints = [`127.0.0.1:${port}`, ...others(at)].join(',');
              return createEtcd(endpoints, { requestTimeout: `${timeoutMs(at)}ms` }).store;
            },
            timeoutMs(at),
          ),
        ),
      );
      const workload = new Workload({
        ...{ sidecars, clients: 24, nativeClients: 0, keys: 12, operations: OPERATIONS },
        ...{ deadlineMs: 15_000, random: random.fork(), run: newRunName() },
      });
      const injector = new Injector({
        ...{ server: etcd, sidecars, random: random.fork() },
        ...{ faults: ETCD_FAULTS, calmMs: 0 },
      });
      injector.start();
      try {
        await workload.run();
        await injector.stop();
      } finally {
        await Promise.all(sidecars.map((sidecar) => sidecar.stop()));
        await etcd.stop();
      }
      const operations = workload.recorder.operations.map(lastingLonger);
      const violations = findViolations({ operations, faults: injector.windows });
      const count = (answer: Operation['answer']) =>
        operations.filter((operation) => operation.answer === answer).length;
      process.stdout.write(
        `seed ${seed}: ${operations.length} calls, ${count('acquired')} acquired, ${count('unlocked')} unlocked, ${count('unknown')} unknown, ${count('not-applied')} failed, ${injector.windows.length} faults, ${violations.length} violations\n`,
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
