import { setTimeout as pause } from 'node:timers/promises';

import type { Store } from './bench-options';
import { placeOf } from './fleet';
import type { Contestant, Measure } from './measure';
import type { Metrics } from './metrics';
import type { NodeBinary } from './node-binary';
import { readMemory, type Memory } from './process-usage';
import { refusedContestant } from './refused-load';
import { startFloor, startOurs, type StartedTarget } from './started-target';
import { pairsOf, servingBy, type Target } from './target';
import { nameOn, type Workbench } from './workbench';

/** How many calls are in flight before memory is read again. */
const LOADED_IN_FLIGHT = 100;

/** How often that load is run: memory that only the first runs take is not missed. */
const LOADED_RUNS = 3;

/**
 * From the spawn to the first lock of a new process, beside a bare Node HTTP server's first answer,
 * which stands for both transports.
 */
export function startMeasure(bench: Workbench, store: Store): Measure {
  return freshMeasure(bench, `start/${store}`, {
    ours: async ({ startedInMs: { http = NaN, grpc = NaN } }) => {
      return { startHttpMs: http, startGrpcMs: grpc };
    },
    floor: async ({ startedInMs: { http = NaN } }) => ({ startHttpMs: http, startGrpcMs: http }),
    store,
  });
}

/**
 * The memory of a new process at rest and after load, beside a bare Node HTTP server's at rest: the
 * aims hold both against that, as load says nothing of a server that does nothing.
 */
export function memoryMeasure(
  bench: Workbench,
  store: Store,
  peers: readonly Target[] = [],
): Measure {
  const started = freshMeasure(bench, `memory/${store}`, {
    ours: async (target) => {
      await pause(bench.options.settleSeconds * 1000);
      return loadedAfter(bench, { store, target, idle: await readMemory(target.pid) });
    },
    floor: async (target) => {
      await pause(bench.options.settleSeconds * 1000);
      const { rssMb, pssMb } = await readMemory(target.pid);
      return { rssIdleMb: rssMb, pssIdleMb: pssMb, rssLoadedMb: rssMb, pssLoadedMb: pssMb };
    },
    store,
  });
  const contestants = [
    ...started.contestants,
    ...peers.map((peer) => peerContestant(bench, store, peer)),
  ];
  return { ...started, contestants, pairs: pairsOf(contestants.map((each) => each.name)) };
}

/** A peer is not ours to start again: it is at rest once, before the first load of all. */
function peerContestant(bench: Workbench, store: Store, target: Target): Contestant {
  let atRest: Memory | undefined;
  return {
    name: target.name,
    run: async () => {
      const idle = (atRest ??= await readMemory(target.pid));
      return loadedAfter(bench, { store, target, idle });
    },
  };
}

async function loadedAfter(
  bench: Workbench,
  { store, target, idle }: { store: Store; target: Target; idle: Memory },
): Promise<Metrics> {
  for (const transport of bench.options.transports) {
    if (servingBy(transport, [target]).length === 0) continue;
    const shape = { store, transport, inFlight: LOADED_IN_FLIGHT };
    const load = refusedContestant(bench, shape, target);
    await load.prepare?.();
    for (let run = 0; run < LOADED_RUNS; run += 1) await load.run();
  }
  await pause(bench.options.settleSeconds * 1000);
  const loaded = await readMemory(target.pid);
  return {
    rssIdleMb: idle.rssMb,
    pssIdleMb: idle.pssMb,
    rssLoadedMb: loaded.rssMb,
    pssLoadedMb: loaded.pssMb,
  };
}

/** Measurements of a process that is started for them, and stopped after them. */
interface FreshReadings {
  readonly ours: (target: StartedTarget) => Promise<Metrics>;
  readonly floor: (target: StartedTarget) => Promise<Metrics>;
  readonly store: Store;
}

/** A peer can't be started by us, so it has no part in these. */
function freshMeasure(bench: Workbench, name: string, readings: FreshReadings): Measure {
  const contestants = bench.nodes.flatMap((node): readonly Contestant[] => {
    const [ours, floor] = [nameOn(bench, 'ours', node), nameOn(bench, 'node-http', node)];
    return [
      {
        name: ours,
        run: () => onFresh(startFresh(bench, readings.store, node), readings.ours),
      },
      {
        name: floor,
        run: () => onFresh(startFloor('node-http', { name: floor, node }), readings.floor),
      },
    ];
  });
  return { name, contestants, pairs: pairsOf(contestants.map((each) => each.name)) };
}

function startFresh(bench: Workbench, store: Store, node: NodeBinary): Promise<StartedTarget> {
  const name = nameOn(bench, 'ours', node);
  return startOurs({ name, node, place: placeOf(bench, store), folder: bench.tools.folder });
}

async function onFresh(
  starting: Promise<StartedTarget>,
  read: (target: StartedTarget) => Promise<Metrics>,
): Promise<Metrics> {
  const target = await starting;
  try {
    return await read(target);
  } finally {
    await target.process.stop();
  }
}
