import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { medianInterval, type MedianInterval, quantile } from '../statistics';
import type { Caller } from './caller';
import type { LoadOrder, LoadReport } from './slow-load-process';

/** The latency of lock calls alone and beside slow passed calls. */
export interface LatencyFinding {
  readonly p50: Compared;
  readonly p99: Compared;
  /** Calls that the slow upstream answered in a second, while locks were measured beside them. */
  readonly answeredASecond: number;
}

/** One quantile: over the rounds, the medians in milliseconds, and the ratio within a round. */
export interface Compared {
  readonly aloneMs: MedianInterval;
  readonly besideMs: MedianInterval;
  readonly ratio: MedianInterval;
}

/** How it is measured. */
export interface LatencyOptions {
  readonly locker: Caller;
  readonly port: number;
  readonly rounds: number;
  /** Seconds of each half of a round. */
  readonly seconds: number;
  /** Slow calls that begin in a second. Each is open for a second. */
  readonly callsASecond: number;
}

const RUNNER = path.join(__dirname, '../../scripts/run-typescript.js');

const BETWEEN_LOCKS_MS = 5;

/** How long to let the load begin, or end: its calls take a second. */
const SETTLE_MS = 1500;

/**
 * Measures lock calls alone and beside slow passed calls in turn, round by round, so that whatever
 * else runs on the machine takes its share of both. The order within a round changes, and the load
 * comes from a process of its own, at a rate that leaves processor time free.
 */
export async function measureLatency(options: LatencyOptions): Promise<LatencyFinding> {
  const { locker, port, rounds, seconds, callsASecond } = options;
  const load = fork(RUNNER, [path.join(__dirname, 'slow-load-process.ts'), String(port)]);
  const alone: number[][] = [];
  const beside: number[][] = [];
  let answered = 0;
  const measureBeside = async (): Promise<void> => {
    await order(load, { callsASecond });
    await pause(SETTLE_MS);
    await order(load, { callsASecond });
    beside.push(await lockFor(locker, seconds));
    answered += (await order(load, { callsASecond: 0 })).answered;
    await pause(SETTLE_MS);
  };
  try {
    await order(load, { callsASecond: 0 });
    await lockFor(locker, seconds);
    for (let round = 0; round < rounds; round += 1) {
      if (round % 2 === 1) await measureBeside();
      alone.push(await lockFor(locker, seconds));
      if (round % 2 === 0) await measureBeside();
    }
  } finally {
    load.kill();
  }
  const answeredASecond = answered / (rounds * seconds);
  return { p50: compare(alone, beside, 0.5), p99: compare(alone, beside, 0.99), answeredASecond };
}

async function order(load: ChildProcess, given: LoadOrder): Promise<LoadReport> {
  const report = once(load, 'message') as Promise<[LoadReport]>;
  load.send(given);
  return (await report)[0];
}

async function lockFor(locker: Caller, seconds: number): Promise<number[]> {
  const end = performance.now() + seconds * 1000;
  const taken: number[] = [];
  while (performance.now() < end) {
    taken.push(await locker.lock(`resource-${taken.length}`));
    await pause(BETWEEN_LOCKS_MS);
  }
  return taken;
}

function compare(
  alone: readonly (readonly number[])[],
  beside: readonly (readonly number[])[],
  share: number,
): Compared {
  const [aloneMs, besideMs] = [alone, beside].map((rounds) =>
    rounds.map((times) => quantile(times, share)),
  ) as [number[], number[]];
  return {
    aloneMs: medianInterval(aloneMs),
    besideMs: medianInterval(besideMs),
    ratio: medianInterval(besideMs.map((ms, round) => ms / (aloneMs[round] ?? NaN))),
  };
}
