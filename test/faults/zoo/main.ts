import type { LockStore } from '../../../src/lock/lock-store';
import { createQuickStore } from '../../stores/redis/redis-fixture';
import { runFaults } from '../fault-run';
import { runProbes } from '../probes';
import { startInProcess } from '../in-process-sidecar';
import { startPlainClient } from '../plain-client';
import { BUGS } from './bugs';

/** Schedules that every animal has to be caught by one of. */
const SEEDS = [11, 12, 13];

/** Runs the suite on a store until something is found; undefined where nothing is. */
async function findFault(createStore: (port: number) => LockStore): Promise<string | undefined> {
  const [failed] = await runProbes(createStore);
  if (failed !== undefined) return `probe: ${failed}`;
  for (const seed of SEEDS) {
    const { violations } = await runFaults({
      seed,
      operations: 3000,
      clients: 16,
      nativeClients: 12,
      keys: 4,
      deadlineMs: 4000,
      startSidecars: (port) =>
        Promise.all([
          startInProcess(port, createStore),
          startInProcess(port, createStore),
          startPlainClient(port),
        ]),
      watchServer: false,
    });
    const [violation] = violations;
    if (violation !== undefined) return `seed ${seed}: ${violation.split('\n')[0] ?? ''}`;
  }
  return undefined;
}

/** `npm run test:zoo`: the suite must catch every bug, and find nothing where there is none. */
async function main(): Promise<void> {
  const only = process.argv[2];
  const bugs = BUGS.filter(({ name }) => only === undefined || name.includes(only));
  let caught = 0;
  for (const { name, createStore } of bugs) {
    const found = await findFault(createStore);
    if (found !== undefined) caught += 1;
    process.stdout.write(
      `${found === undefined ? 'MISSED' : 'caught'}  ${name}\n        ${found ?? ''}\n`,
    );
  }
  const control = await findFault((port) => createQuickStore(port).store);
  process.stdout.write(`control run without a bug: ${control ?? 'nothing found'}\n`);
  process.stdout.write(`caught ${caught} of ${bugs.length}\n`);
  process.exit(caught === bugs.length && control === undefined ? 0 : 1);
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error instanceof Error ? error.stack : error)}\n`);
  process.exit(1);
});
