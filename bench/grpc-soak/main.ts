import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { Option } from 'commander';

import {
  countOption,
  createScript,
  type ScriptValues,
} from '../../test/support/long-run/script-command';
import { runScript, type ScriptRun } from '../../test/support/long-run/script-run';
import { loadBenchTools } from '../bench-tools';
import { startOurs } from '../started-target';
import { fullLoad, idleStreams, type Load } from './loads';
import { growthMb, type MemorySample, MemoryWatch } from './memory-watch';

interface SoakValues extends ScriptValues {
  readonly grpcServer: string;
  readonly only?: string;
  readonly seconds: number;
  readonly streams: number;
}

/** The result of a load. */
interface Finding {
  readonly name: string;
  readonly did: string;
  readonly samples: readonly MemorySample[];
}

const LOADS: Readonly<Record<string, Load>> = {
  'full load': fullLoad,
  'idle streams': idleStreams,
};

/** Resident memory may grow by so many MB; what one call in ten leaves behind would be more within a minute. */
const MOST_GROWTH_MB = 16;

const MARKS_MINUTES = [1, 5, 10];
const MOST_SAMPLES = 60;

/** Where report-heap.js writes. */
const HEAP_FOLDER = 'HOLDFAST_HEAP_FOLDER';
const HEAP_REPORTER = path.join(__dirname, 'report-heap.js');
const SECONDS_A_MINUTE = 60;
const MS_A_SECOND = 1000;

const command = createScript({
  name: 'bench:grpc-soak',
  description:
    'The memory of a sidecar under minutes of gRPC: at full load, and with thousands of streams that are idle. It may not grow.',
  example: '--seconds 600 --streams 10000',
})
  .addOption(
    new Option('--grpc-server <name>', 'what serves gRPC')
      .choices(['grpc-js', 'lean'])
      .default('lean'),
  )
  .addOption(new Option('--only <load>', 'only this load').choices(Object.keys(LOADS)))
  .addOption(countOption('--seconds <number>', 'how long memory is watched', 10).default(600))
  .addOption(countOption('--streams <number>', 'how many are idle').default(10_000));

/** Both loads at the same time, each on a sidecar of its own. Exit code 1 where memory grows. */
async function main(values: SoakValues, script: ScriptRun): Promise<void> {
  const { ensureLoadGenerators } = await loadBenchTools();
  const { h2load } = ensureLoadGenerators(process.env);
  const loads = Object.entries(LOADS).filter(([name]) => name === (values.only ?? name));
  script.begin({ total: loads.length * samplesOf(values), unit: 'samples' });
  let done = 0;
  const onSample = () => {
    done += 1;
    script.advance(done);
  };
  const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-soak-'));
  process.env[HEAP_FOLDER] = folder;
  try {
    const findings = await Promise.all(
      loads.map((load) => soak(load, { ...values, h2load, folder, onSample })),
    );
    for (const finding of findings) script.print(tell(finding));
    const hasGrown = findings.some(({ samples }) => growthMb(samples, 'rssMb') > MOST_GROWTH_MB);
    process.exitCode = hasGrown ? 1 : 0;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What the loads of a run share. */
interface SoakRun extends SoakValues {
  readonly h2load: string;
  readonly folder: string;
  readonly onSample: () => void;
}

/** Puts a load on a new sidecar, and watches its memory from when the load has reached its height. */
async function soak([name, carryOut]: [string, Load], run: SoakRun): Promise<Finding> {
  const { grpcServer, streams, h2load, folder } = run;
  const target = await startOurs({
    name,
    node: { path: process.execPath, version: process.versions.node },
    place: { store: 'memory' },
    folder: await mkdtemp(path.join(folder, 'load-')),
    nodeFlags: ['--require', HEAP_REPORTER],
    args: ['--grpc-server', grpcServer, '--max-lock-holds', String(2 * streams)],
  });
  try {
    const watch = new MemoryWatch(target, path.join(folder, `heap-${target.pid}`));
    let isOver = false;
    const begun = new EventEmitter();
    const tools = { h2load, folder: await mkdtemp(path.join(folder, 'h2load-')) };
    const sampling = once(begun, 'begun').then(() => sampleFor(watch, run));
    const begin = () => begun.emit('begun');
    const did = carryOut(target, { tools, streams, begin, isOver: () => isOver });
    await Promise.race([sampling, did]);
    isOver = true;
    return { name, did: await did, samples: watch.samples };
  } finally {
    await target.process.stop();
  }
}

/** Samples at even intervals. */
async function sampleFor(watch: MemoryWatch, run: SoakRun): Promise<void> {
  const count = samplesOf(run);
  await watch.begin();
  for (let taken = 0; taken < count; taken += 1) {
    await pause((run.seconds / count) * MS_A_SECOND);
    await watch.sample();
    run.onSample();
  }
}

/** How many samples are taken: one a second at most, because memory is reported as often. */
function samplesOf({ seconds }: SoakValues): number {
  return Math.min(MOST_SAMPLES, seconds);
}

/** What a load did, memory at some minutes and at the end, and whether that is flat. */
function tell({ name, did, samples }: Finding): string {
  const marks = samples.filter(({ atSeconds }, index) => {
    const before = samples[index - 1]?.atSeconds ?? 0;
    const isMark = MARKS_MINUTES.some((minute) => {
      return before < minute * SECONDS_A_MINUTE && minute * SECONDS_A_MINUTE <= atSeconds;
    });
    return isMark || index === 0 || index === samples.length - 1;
  });
  const rows = marks.map(({ atSeconds, rssMb, heapMb }) => {
    return `| ${atSeconds.toFixed(0)} | ${rssMb.toFixed(1)} | ${heapMb.toFixed(1)} |\n`;
  });
  const [rss, heap] = [growthMb(samples, 'rssMb'), growthMb(samples, 'heapMb')];
  return (
    `## ${name}: ${did}\n\n` +
    `| after s | resident MB | heap and buffers MB |\n| ---: | ---: | ---: |\n${rows.join('')}\n` +
    `From the second fifth to the last one: resident ${rss.toFixed(1)} MB more, heap ${heap.toFixed(1)} MB more: ` +
    `${rss > MOST_GROWTH_MB ? 'GROWS' : 'flat'} (at most ${MOST_GROWTH_MB} MB)\n\n`
  );
}

void runScript(command, main);
