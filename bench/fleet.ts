import type { Store } from './bench-options';
import type { Transport } from './lock-requests';
import { startFloor, startOurs, type StartedTarget, type StorePlace } from './started-target';
import type { Target } from './target';
import type { PeerSpec } from './target-spec';
import { nameOn, type Workbench } from './workbench';

/** Servers that run side by side while load is sent to one after the other. */
export interface Fleet {
  readonly targets: readonly Target[];
  stop(): Promise<void>;
}

const FLOOR_OF = { grpc: 'grpc-echo', http: 'fastify-echo' } as const;

/** Starts all that is asked for: on each Node ours and the floors, and takes peers as they are. */
export async function startFleet(bench: Workbench, store: Store): Promise<Fleet> {
  const { options, nodes } = bench;
  const kinds = options.targets.map(({ kind }) => kind);
  const started: StartedTarget[] = [];
  const stop = async () => {
    await Promise.all(started.map(({ process }) => process.stop()));
  };
  try {
    for (const node of nodes) {
      if (kinds.includes('ours')) {
        const place = placeOf(bench, store);
        const name = nameOn(bench, 'ours', node);
        started.push(await startOurs({ name, node, place, folder: bench.tools.folder }));
      }
      for (const transport of kinds.includes('floors') ? options.transports : []) {
        const kind = FLOOR_OF[transport];
        started.push(await startFloor(kind, { name: nameOn(bench, kind, node), node }));
      }
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { targets: [...started, ...peersOf(bench)], stop };
}

/** The sidecars that run already, as `--target` named them. */
export function peersOf({ options }: Workbench): readonly Target[] {
  return options.targets.filter((spec) => spec.kind === 'peer').map(toPeer);
}

/** Where our sidecar keeps its locks. */
export function placeOf(bench: Workbench, store: Store): StorePlace {
  return store === 'redis' ? { store, redisPort: bench.redis.port } : { store };
}

function toPeer(spec: PeerSpec): Target {
  const ports: Partial<Record<Transport, number>> = {};
  if (spec.httpPort !== undefined) ports.http = spec.httpPort;
  if (spec.grpcPort !== undefined) ports.grpc = spec.grpcPort;
  const { name, storeName, pid } = spec;
  return { name, role: 'peer', answers: 'locks', ports, storeName, pid };
}
