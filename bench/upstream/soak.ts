import { setTimeout as pause } from 'node:timers/promises';

import { readMemory } from '../process-usage';
import { median, quantile } from '../statistics';
import { Caller } from './caller';

/** What a slow upstream and slow clients do to memory and to lock calls. */
export interface SoakFinding {
  /** Lock calls with nothing else, and beside the load: median and 99th percentile, in ms. */
  readonly alone: Latency;
  readonly beside: Latency;
  /** Memory of the sidecar before, and the most beside the load, in MB. */
  readonly beforeMb: number;
  readonly mostMb: number;
  readonly passedCalls: number;
}

/** The latency of lock calls in milliseconds. */
export interface Latency {
  readonly medianMs: number;
  readonly p99Ms: number;
}

/** What is looked at, and how long. */
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

const BETWEEN_LOCKS_MS = 10;

/**
 * Keeps calls waiting for a slow upstream, and large answers unread, while locks are taken. The
 * sidecar must hold no more than a window of each.
 */
export async function soak(options: SoakOptions): Promise<SoakFinding> {
  const { port, pid, seconds, slow, neglected } = options;
  const locker = await Caller.open(port);
  const [caller, lazy] = [await Caller.open(port), await Caller.open(port)];
  try {
    await lockFor(locker, 1);
    const alone = toLatency(await lockFor(locker, seconds / 2));
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
    const beside = toLatency(await lockFor(locker, seconds));
    isOver = true;
    await Promise.all(workers);
    return { alone, beside, beforeMb, mostMb: await most, passedCalls };
  } finally {
    for (const each of [locker, caller, lazy]) each.close();
  }
}

async function lockFor(locker: Caller, seconds: number): Promise<readonly number[]> {
  const end = performance.now() + seconds * 1000;
  const taken: number[] = [];
  while (performance.now() < end) {
    taken.push(await locker.lock(`resource-${taken.length}`));
    await pause(BETWEEN_LOCKS_MS);
  }
  return taken;
}

function toLatency(times: readonly number[]): Latency {
  return { medianMs: median(times), p99Ms: quantile(times, 0.99) };
}

async function watchMemory(pid: number, isOver: () => boolean): Promise<number> {
  let most = 0;
  while (!isOver()) {
    most = Math.max(most, (await readMemory(pid)).rssMb);
    await pause(200);
  }
  return most;
}
