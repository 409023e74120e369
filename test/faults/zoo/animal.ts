import { createQuickStore } from '../../stores/redis/redis-fixture';
import { BUGS } from './bugs';
import { findFault } from './find-fault';

/**
 * Runs the suite on one animal, by its name: one of `BUGS`, or Holdfast's own store of changed sources. The second
 * argument is the probe to begin with.
 */
async function main(): Promise<void> {
  const [name, first] = process.argv.slice(2);
  const bug = BUGS.find((each) => each.name === name);
  const createStore = bug?.createStore ?? ((port: number) => createQuickStore(port).store);
  process.stdout.write(JSON.stringify({ found: await findFault(createStore, first) }));
  process.exit(0);
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error instanceof Error ? error.stack : error)}\n`);
  process.exit(1);
});
