/**
 * Loads every long script in this one process, each with the arguments of this process. With `--help` they only say
 * what they are: this is how a test sees them all without a process for each.
 *
 * Usage: load-scripts.ts --help
 */
import path from 'node:path';

const ROOT = path.join(__dirname, '../../..');

/** The scripts of package.json that show progress, and their programs. */
export const LONG_SCRIPTS: Readonly<Record<string, string>> = {
  bench: 'bench/main.ts',
  'bench:grpc-server': 'bench/grpc-server/main.ts',
  'bench:grpc-soak': 'bench/grpc-soak/main.ts',
  'bench:scripts': 'bench/script-cost.ts',
  'bench:stores': 'bench/stores/main.ts',
  'bench:upstream': 'bench/upstream/main.ts',
  'bench:waiters': 'bench/waiters/main.ts',
  'test:cluster-faults': 'test/cluster/fault-run/main.ts',
  'test:etcd-faults': 'test/etcd/fault-run/main.ts',
  'test:failover': 'test/failover/main.ts',
  'test:faults': 'test/faults/main.ts',
  'test:fencing': 'test/faults/fencing/main.ts',
  'test:grpc-differential': 'test/grpc/differential/main.ts',
  'test:grpc-interop': 'test/grpc/interop.ts',
  'test:grpc-stacks': 'test/grpc/stacks/main.ts',
  'test:h2spec': 'test/http2/h2spec.ts',
  'test:hostile': 'test/hostile/main.ts',
  'test:http2-fuzz': 'test/http2/fuzz/main.ts',
  'test:interop': 'test/interop/main.ts',
  'test:leaving': 'test/leaving/main.ts',
  'test:postgresql-faults': 'test/postgresql/fault-run/main.ts',
  'test:upgrade': 'test/faults/upgrade/main.ts',
  'test:upstream': 'test/upstream/main.ts',
  'test:zoo': 'test/faults/zoo/main.ts',
};

if (process.argv[2] === '--help') {
  for (const program of Object.values(LONG_SCRIPTS)) void import(path.join(ROOT, program));
}
