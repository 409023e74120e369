import type { LockStore } from '../../../src/lock/lock-store';
import { runFaults } from '../fault-run';
import { QUICK_SEND_MS } from '../../stores/redis/redis-fixture';
import { startInProcess } from '../in-process-sidecar';
import { startPlainClient } from '../plain-client';
import { type ProbeRun, PROBE_RUNS } from '../probe-runs';

/** Schedules that every animal has to be caught by one of. */
const SEEDS = [11, 12];

type CreateStore = (redisPort: number) => LockStore;

/**
 * Runs the suite on a store until something is found; undefined where nothing is.
 *
 * @param first the probe to begin with; any where this is left out
 */
export async function findFault(createStore: CreateStore, first = ''): Promise<string | undefined> {
  const begin = PROBE_RUNS.filter(({ name }) => name === first);
  const rest = PROBE_RUNS.filter(({ name }) => name !== first);
  const failed =
    (await findFailedProbe(createStore, begin)) ?? (await findFailedProbe(createStore, rest));
  if (failed !== undefined) return `probe: ${failed}`;
  for (const seed of SEEDS) {
    const { violations } = await runFaults({
      seed,
      operations: 2500,
      clients: 16,
      nativeClients: 12,
      keys: 4,
      deadlineMs: 4000,
      startSidecars: (port) =>
        Promise.all([
          startInProcess(port, createStore, QUICK_SEND_MS),
          startInProcess(port, createStore, QUICK_SEND_MS),
          startPlainClient(port),
        ]),
      watchServer: false,
    });
    const [violation] = violations;
    if (violation !== undefined) return `seed ${seed}: ${violation.split('\n')[0] ?? ''}`;
  }
  return undefined;
}

/** The first probe that fails. One at a time: their sends have 200 ms, which a machine with more to do may need. */
async function findFailedProbe(
  createStore: CreateStore,
  probes: readonly ProbeRun[],
): Promise<string | undefined> {
  for (const { name, run } of probes) {
    const failure = await run(createStore);
    if (failure !== undefined) return `${name}: ${failure}`;
  }
  return undefined;
}
