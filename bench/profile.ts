import { mkdir, readFile, readdir } from 'node:fs/promises';
import path from 'node:path';

import type { ScriptRun } from '../test/support/long-run/script-run';
import { placeOf } from './fleet';
import type { Transport } from './lock-requests';
import { toTable } from './markdown-report';
import { toDigits } from './number-text';
import { OURS, toOwnerTimes, type CpuProfile } from './profile-owners';
import { refusedContestant } from './refused-load';
import { runCommand } from './run-command';
import { startFloor, startOurs, type StartedTarget } from './started-target';
import type { Workbench } from './workbench';

const IN_FLIGHT = 100;
const RUNS = 3;
const PERCENT = 100;
/** A part with a smaller share of a call has no row. */
const LEAST_SHARE = 0.005;
const NS_A_US = 1000n;
/** How long compiling may take, in milliseconds. */
const BUILD_WITHIN_MS = 60_000;

/** The processor time of a call in µs, by whose code it was spent in. */
type CallTimes = ReadonlyMap<string, number>;

/**
 * `--profile`: where a call's time goes, on our sidecar and on the bare echo, under the same load and
 * the same profiler. This is what says how much of a call is ours to save; the profiler itself makes
 * calls dearer, so that only shares mean something.
 */
export async function runProfile(bench: Workbench, script: ScriptRun): Promise<void> {
  const { out, transports } = bench.options;
  // One file for all of us would hide whose code is whose.
  await runCommand(process.execPath, ['scripts/build.js', '--plain'], {
    withinMs: BUILD_WITHIN_MS,
  });
  const tables: string[] = [];
  script.begin({ total: transports.length, unit: 'profiles' });
  for (const transport of transports) {
    script.advance(tables.length, transport);
    const folder = path.join(out, `profile-${transport}`);
    const ours = await profileOurs(bench, transport, path.join(folder, 'ours'));
    const floor = await profileFloor(bench, transport, path.join(folder, 'floor'));
    tables.push(toProfileTable(transport, ours, floor));
  }
  script.print(`# Profile\n\n${tables.join('\n\n')}\n`);
}

async function profileOurs(
  bench: Workbench,
  transport: Transport,
  folder: string,
): Promise<CallTimes> {
  const place = placeOf(bench, bench.options.stores.includes('redis') ? 'redis' : 'memory');
  const target = await startOurs({
    name: 'ours',
    node: nodeOf(bench),
    place,
    folder: bench.tools.folder,
    nodeFlags: await profilerFlags(folder),
    file: 'plain/main.js',
  });
  return profileTarget(bench, transport, { target, folder });
}

async function profileFloor(
  bench: Workbench,
  transport: Transport,
  folder: string,
): Promise<CallTimes> {
  const kind = transport === 'grpc' ? 'grpc-echo' : 'fastify-echo';
  const nodeFlags = await profilerFlags(folder);
  const target = await startFloor(kind, { name: kind, node: nodeOf(bench), nodeFlags });
  return profileTarget(bench, transport, { target, folder });
}

async function profileTarget(
  bench: Workbench,
  transport: Transport,
  { target, folder }: { target: StartedTarget; folder: string },
): Promise<CallTimes> {
  const shape = { store: 'memory', transport, inFlight: IN_FLIGHT } as const;
  const load = refusedContestant(bench, shape, target);
  const { calls, window } = await thenStop(target, async () => {
    await load.prepare?.();
    const [callsBefore, fromUs] = [load.callsSoFar(), nowUs()];
    for (let run = 0; run < RUNS; run += 1) await load.run();
    return { calls: load.callsSoFar() - callsBefore, window: { fromUs, toUs: nowUs() } };
  });
  const times = toOwnerTimes(await readProfile(folder), window);
  return new Map([...times].map(([owner, us]) => [owner, us / calls]));
}

/** The profile is written at the end of the process, which comes in any case. */
async function thenStop<T>(target: StartedTarget, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } finally {
    await target.process.stop();
  }
}

/** Our table: shares of our call, and of what a bare echo's call takes. */
export function toProfileTable(transport: Transport, ours: CallTimes, floor: CallTimes): string {
  const [whole, bare] = [sum(ours.values()), sum(floor.values())];
  const rows = [...ours]
    .filter(([, us]) => us / whole >= LEAST_SHARE)
    .sort(([, one], [, other]) => other - one)
    .map(([owner, us]) => [
      owner,
      toDigits(us),
      toShare(us / whole),
      toShare(us / bare),
      toDigits(floor.get(owner) ?? 0),
    ]);
  const own = sum([...ours].filter(([owner]) => owner.startsWith(OURS)).map(([, us]) => us));
  const head = ['whose code', 'µs a call', 'of the call', "of a bare echo's", "bare echo's µs"];
  return `## ${transport}, TryLock refused, ${IN_FLIGHT} in flight

${toTable(head, rows)}

All of a call: ${toDigits(whole)} µs, a bare echo's ${toDigits(bare)} µs. All of ours: ${toDigits(own)} µs, ${toShare(own / whole)} of
the call, ${toShare(own / bare)} of a bare echo's.`;
}

function toShare(share: number): string {
  return `${(share * PERCENT).toFixed(1)} %`;
}

function sum(numbers: Iterable<number>): number {
  return [...numbers].reduce((total, number) => total + number, 0);
}

async function profilerFlags(folder: string): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  return ['--cpu-prof', `--cpu-prof-dir=${path.resolve(folder)}`];
}

/** The newest profile of a folder: an earlier run may have left others. */
async function readProfile(folder: string): Promise<CpuProfile> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.cpuprofile')).sort();
  const name = names.at(-1);
  if (name === undefined) throw new Error(`the process left no profile in ${folder}`);
  return JSON.parse(await readFile(path.join(folder, name), 'utf8')) as CpuProfile;
}

function nodeOf(bench: Workbench) {
  const [node] = bench.nodes;
  if (node === undefined) throw new Error('no Node to profile');
  return node;
}

/** The clock that V8's profiler counts by. */
function nowUs(): number {
  return Number(process.hrtime.bigint() / NS_A_US);
}
