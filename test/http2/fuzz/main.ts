import fc from 'fast-check';

import {
  countOption,
  createScript,
  drawSeed,
  type ScriptValues,
  seedOption,
} from '../../support/long-run/script-command';
import { runScript, type ScriptRun } from '../../support/long-run/script-run';
import { collectGarbage } from '../../support/collect-garbage';
import { findFaults, FUZZ_CASES, type FuzzCase } from './fuzz-run';
import { SocketRun } from './socket-run';

interface FuzzValues extends ScriptValues {
  readonly frames: number;
  readonly seed?: number;
}

/** How many cases one seed makes. */
const CASES_A_SEED = 500;

/** One case of so many is sent over a socket, too. */
const CASES_A_SOCKET = 50;

/** By how much the live memory may have grown, in bytes. What one case in ten keeps would be far more. */
const GROWTH_BYTES = 4 * 2 ** 20;

/** How often live memory is measured: after the first cases, and then at even parts of the run. */
const MARKS = 10;

const BYTES_A_MIB = 2 ** 20;

const command = createScript({
  name: 'test:http2-fuzz',
  description:
    'Sends mutated frames to our own HTTP/2. None may crash it, hang a socket, or leave anything behind.',
  example: '--frames 1000000 --seed 7',
})
  .addOption(countOption('--frames <number>', 'how many frames to send').default(100_000))
  .addOption(seedOption());

/** Exit code 1 where the server has a fault. */
async function main(values: FuzzValues, script: ScriptRun): Promise<void> {
  const sockets = new SocketRun();
  await sockets.start();
  try {
    await fuzz(values, script, sockets);
  } finally {
    await sockets.stop();
  }
}

async function fuzz(values: FuzzValues, script: ScriptRun, sockets: SocketRun): Promise<void> {
  const { frames, seed: first = drawSeed() } = values;
  script.begin({ total: frames, unit: 'frames' });
  let [sent, cases, seed] = [0, 0, first];
  const liveBytes: number[] = [];
  for (; sent < frames && process.exitCode === undefined; seed += 1) {
    for (const [index, one] of fc.sample(FUZZ_CASES, { seed, numRuns: CASES_A_SEED }).entries()) {
      const faults = [
        ...findFaults(one),
        ...(index % CASES_A_SOCKET === 0 ? await sockets.findFaults(one) : []),
      ];
      if (faults.length > 0) tell(script, { seed, index, one, faults });
      sent += one.frames.length;
      cases += 1;
    }
    if (sent >= (frames * liveBytes.length) / MARKS) liveBytes.push(measureLiveBytes());
    script.advance(Math.min(sent, frames));
  }
  // The first two are not compared: the code is compiled, and its caches fill, in the first part.
  const [, , early = 0, ...later] = liveBytes;
  const growth = Math.max(0, ...later) - early;
  if (growth > GROWTH_BYTES) process.exitCode = 1;
  script.print(
    `${sent} frames in ${cases} mutated conversations, seeds ${first} to ${seed - 1}, ` +
      `live memory in MiB ${liveBytes.map(toMib).join(', ')}: ` +
      `${process.exitCode === 1 ? 'FAULTS' : 'no fault'}\n`,
  );
}

function tell(
  script: ScriptRun,
  found: {
    readonly seed: number;
    readonly index: number;
    readonly one: FuzzCase;
    readonly faults: readonly string[];
  },
): void {
  const { seed, index, one, faults } = found;
  process.exitCode = 1;
  script.print(`seed ${seed}, case ${index}: ${faults.join('; ')}\n`);
  script.print(`  in pieces of ${one.pieceBytes} bytes:\n`);
  for (const frame of one.frames) script.print(`  ${frame.toString('hex')}\n`);
}

/** What is in use after garbage was collected: the heap, and what its objects hold outside of it. */
function measureLiveBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function toMib(bytes: number): string {
  return (bytes / BYTES_A_MIB).toFixed(1);
}

void runScript(command, main);
