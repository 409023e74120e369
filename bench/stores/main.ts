import { type LockServers, startLockServers, STORE_NAMES } from '../../test/interop/lock-servers';
import { type ComponentFile, writeComponent } from '../../test/support/component-files';
import { createScript, type ScriptValues } from '../../test/support/long-run/script-command';
import { runScript, type ScriptRun } from '../../test/support/long-run/script-run';
import { SidecarProcess } from '../../test/support/sidecar-process';
import { readCpuUs } from '../process-usage';
import { type MedianInterval, medianInterval } from '../statistics';
import { Caller } from '../upstream/caller';
import { type LoadSize, runOneByOne, runAtOnce } from './loads';

const FULL: LoadSize = { rounds: 6, oneByOne: 100, atOnce: 1000 };
const SMOKE: LoadSize = { rounds: 2, oneByOne: 10, atOnce: 100 };

interface StoresValues extends ScriptValues {
  readonly smoke?: true;
}

/** A sidecar and the servers behind it. */
interface Place {
  readonly name: string;
  readonly sidecar: SidecarProcess;
  readonly caller: Caller;
  readonly servers: LockServers | undefined;
}

/** What a round has found at one place. */
interface Found {
  /** The median time of a TryLock that is granted, in milliseconds, one at a time. */
  readonly lockMs: number;
  /** Calls a second with many in flight, half of them TryLocks and half of them unlocks. */
  readonly callsASecond: number;
  /** Processor time of the sidecar for each of these, in µs. */
  readonly cpuUs: number;
}

const command = createScript({
  name: 'bench:stores',
  description:
    'What a lock costs on each store, beside Redis: all on this machine, in turn, round by round.',
  example: '--smoke',
}).option('--smoke', 'everything in seconds: only shows that it works');

async function main({ smoke }: StoresValues, script: ScriptRun): Promise<void> {
  const size = smoke === true ? SMOKE : FULL;
  script.begin({ total: size.rounds, unit: 'rounds' });
  const places: Place[] = [];
  try {
    places.push(await open('memory'));
    for (const name of STORE_NAMES) places.push(await open(name));
    const found = new Map(places.map(({ name }): [string, Found[]] => [name, []]));
    for (const place of places) await measure(place, size);
    for (let round = 0; round < size.rounds; round += 1) {
      script.advance(round);
      for (const place of places) found.get(place.name)?.push(await measure(place, size));
    }
    script.print(toTable(found));
  } finally {
    for (const { caller, sidecar, servers } of places) {
      caller.close();
      await sidecar.stop('SIGKILL');
      await servers?.stop();
    }
  }
}

async function open(name: 'memory' | (typeof STORE_NAMES)[number]): Promise<Place> {
  const servers = name === 'memory' ? undefined : await startLockServers(name);
  const component: ComponentFile = servers?.component ?? { type: 'lock.in-memory' };
  const folder = await writeComponent(component);
  const sidecar = await SidecarProcess.start({ args: ['--resources-path', folder] });
  const caller = await Caller.open(sidecar.grpcPort);
  return { name: servers?.name ?? 'in memory', sidecar, caller, servers };
}

async function measure({ caller, sidecar }: Place, size: LoadSize): Promise<Found> {
  const lockMs = await runOneByOne(caller, size.oneByOne);
  const pid = sidecar.child.pid ?? 0;
  const beforeUs = await readCpuUs(pid);
  const seconds = await runAtOnce(caller, size.atOnce);
  const calls = 2 * size.atOnce;
  return {
    lockMs,
    callsASecond: calls / seconds,
    cpuUs: ((await readCpuUs(pid)) - beforeUs) / calls,
  };
}

function toTable(found: ReadonlyMap<string, readonly Found[]>): string {
  const beside = found.get('Redis') ?? [];
  const rows = Array.from(found, ([name, rounds]) => {
    const cells = (['lockMs', 'callsASecond', 'cpuUs'] as const).flatMap((key) => [
      toText(medianInterval(rounds.map((round) => round[key])).median),
      toRange(medianInterval(rounds.map((round, at) => round[key] / (beside[at]?.[key] ?? NaN)))),
    ]);
    return `| ${[name, ...cells].join(' | ')} |`;
  });
  return [
    '| store | a lock, ms | to Redis | calls a second, 100 in flight | to Redis | µs of CPU a call | to Redis |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...rows,
    '',
  ].join('\n');
}

function toRange({ median, low, high }: MedianInterval): string {
  return `${toText(median)} (${toText(low)} to ${toText(high)})`;
}

function toText(number: number): string {
  return number >= 100 ? number.toFixed(0) : number.toPrecision(2);
}

void runScript(command, main);
