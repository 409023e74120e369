import { placeOf } from './fleet';
import { pairContestant } from './pair-load';
import { readMemory } from './process-usage';
import { refusedContestant } from './refused-load';
import { startOurs, type StartedTarget } from './started-target';
import { median } from './statistics';
import { nameOn, type Workbench } from './workbench';

/** Memory over minutes of load. */
export interface SoakResult {
  readonly target: string;
  readonly minutes: number;
  /** One a part of the load: the time since its start in seconds, and resident memory in MB. */
  readonly samples: readonly { readonly atSeconds: number; readonly rssMb: number }[];
  /** The last fifth's median divided by the second fifth's, minus 1: 0.05 is 5 % more. */
  readonly growth: number;
}

const IN_FLIGHT = 100;
const MS_A_MINUTE = 60_000;
const PARTS = 5;

/** Loads a new sidecar with refusals and pairs in turn, over both transports, and watches its memory. */
export async function runSoak(bench: Workbench): Promise<SoakResult | undefined> {
  const [node] = bench.nodes;
  const { stores, soakMinutes } = bench.options;
  const store = stores.includes('redis') ? 'redis' : 'memory';
  if (soakMinutes === 0 || node === undefined) return undefined;
  const name = nameOn(bench, 'ours', node);
  const place = placeOf(bench, store);
  const target = await startOurs({ name, node, place, folder: bench.tools.folder });
  try {
    const loads = bench.options.transports.flatMap((transport) => {
      const shape = { store, transport, inFlight: IN_FLIGHT } as const;
      return [refusedContestant(bench, shape, target), pairContestant(bench, shape, target)];
    });
    for (const load of loads) await load.prepare?.();
    const samples = await sample(target, soakMinutes, async (turn) => {
      await loads[turn % loads.length]?.run();
    });
    return { target: name, minutes: soakMinutes, samples, growth: growthOf(samples) };
  } finally {
    await target.process.stop();
  }
}

async function sample(
  target: StartedTarget,
  minutes: number,
  load: (turn: number) => Promise<void>,
): Promise<SoakResult['samples']> {
  const startedAt = performance.now();
  const samples: { atSeconds: number; rssMb: number }[] = [];
  for (let turn = 0; performance.now() - startedAt < minutes * MS_A_MINUTE; turn += 1) {
    await load(turn);
    const { rssMb } = await readMemory(target.pid);
    samples.push({ atSeconds: (performance.now() - startedAt) / 1000, rssMb });
  }
  return samples;
}

/** How much more memory the last fifth of the samples has than the second one. */
export function growthOf(samples: SoakResult['samples']): number {
  const fifth = Math.floor(samples.length / PARTS);
  const rss = samples.map(({ rssMb }) => rssMb);
  return median(rss.slice(-fifth)) / median(rss.slice(fifth, 2 * fifth)) - 1;
}
