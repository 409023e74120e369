import { setTimeout as pause } from 'node:timers/promises';

import { readMemory } from '../process-usage';
import { Caller } from './caller';

/** How a slow upstream and slow clients affect memory. */
export interface SoakFinding {
  /** Memory of the sidecar before, and the most beside the load, in MB. */
  readonly beforeMb: number;
  readonly mostMb: number;
  readonly passedCalls: number;
}

/** The subject of the measurement, and its length. */
export interface SoakOptions {
  readonly port: number;
  readonly pid: number;
  readonly seconds: number;
  /** Calls that wait for the slow upstream at any time. */
  readonly slow: number;
  /** Answers of {@link LARGE} that nobody reads. */
  readonly neglected: number;
}

/** How long the upstream takes for each slow call. */
const SLOW = 'slow-1000';

/** An answer of 8 MB. */
const LARGE = 'big-8000000';

/**
 * Keeps calls waiting for a slow upstream, and large answers unread, as many as the machine can
 * take. The sidecar must hold no more than a window of each.
 */
export async function soak(options: SoakOptions): Promise<SoakFinding> {
  const { port, pid, seconds, slow, neglected } = options;
  const [caller, lazy] = [await Caller.open(port), await Caller.open(port)];
  try {
    const beforeMb = (await readMemory(pid)).rssMb;
    for (let count = 0; count < neglected; count += 1) lazy.neglect(LARGE);
    let isOver = false;
    let passedCalls = 0;
    const workers = Array.from({ length: slow }, async () => {
      while (!isOver) {
        if ((await caller.getState(SLOW)) === '0') passedCalls += 1;
      }
    });
    const most = watchMemory(pid, () => isOver);
    await pause(seconds * 1000);
    isOver = true;
    await Promise.all(workers);
    return { beforeMb, mostMb: await most, passedCalls };
  } finally {
    for (const each of [caller, lazy]) each.close();
  }
}

async function watchMemory(pid: number, isOver: () => boolean): Promise<number> {
  let most = 0;
  while (!isOver()) {
    most = Math.max(most, (await readMemory(pid)).rssMb);
    await pause(200);
  }
  return most;
}
