import { runCommand } from '../../test/interop/run-command';
import { createScript, type ScriptValues } from '../../test/support/long-run/script-command';
import { runScript, type ScriptRun } from '../../test/support/long-run/script-run';
import { SidecarProcess } from '../../test/support/sidecar-process';
import { buildGoPrograms, StandIn } from '../../test/upstream/site';
import type { MedianInterval } from '../statistics';
import { Caller } from './caller';
import { type LatencyFinding, type LatencyOptions, measureLatency } from './lock-latency';
import { measureRatio } from './ratio';
import { soak } from './soak';

/** The most memory that the load may add, in MB: a window and a buffer for each stream, twice. */
const MOST_ADDED_MB = 200;

const FULL = {
  cost: { rounds: 15, calls: 2000 },
  latency: { rounds: 12, seconds: 3, callsASecond: 100 },
  load: { seconds: 20, slow: 500, neglected: 200 },
};
const SMOKE = {
  cost: { rounds: 3, calls: 300 },
  latency: { rounds: 2, seconds: 0.5, callsASecond: 50 },
  load: { seconds: 2, slow: 100, neglected: 50 },
};

type Load = Pick<LatencyOptions, 'rounds' | 'seconds' | 'callsASecond'>;

interface UpstreamValues extends ScriptValues {
  readonly smoke?: true;
}

const command = createScript({
  name: 'bench:upstream',
  description:
    'What a call costs that is passed on to a stand-in for a daprd, as a ratio to the same call without Holdfast, and what a slow upstream and slow clients do to memory and to lock calls.',
  example: '--smoke',
}).option('--smoke', 'everything in seconds: only shows that it works');

/** Exit code 1 if memory grows beyond its bound. */
async function main(values: UpstreamValues, script: ScriptRun): Promise<void> {
  const { cost, latency, load } = values.smoke ? SMOKE : FULL;
  const say = (line: string): void => {
    script.print(`${line}\n`);
  };
  const inFlights = [1, 50];
  script.begin({ total: inFlights.length + 2, unit: 'parts' });
  const { standIn: file } = await buildGoPrograms(runCommand);
  const standIn = await StandIn.start(file);
  const sidecar = await SidecarProcess.start({
    args: ['--resources-path', 'components', '--upstream-grpc-endpoint', standIn.grpcAddress],
  });
  const direct = await Caller.open(Number(standIn.grpcAddress.split(':')[1]));
  const passed = await Caller.open(sidecar.grpcPort);
  const locker = await Caller.open(sidecar.grpcPort);
  try {
    for (const [index, inFlight] of inFlights.entries()) {
      script.advance(index, `unary call, ${inFlight} in flight`);
      const found = await measureRatio({ direct, passed, ...cost }, inFlight);
      say(
        `unary call, ${inFlight} in flight: direct ${toText(found.directUs)} µs, passed on ${toText(found.passedUs)} µs, ratio ${toText(found.ratio)}`,
      );
    }
    script.advance(inFlights.length, 'lock calls beside slow calls');
    const lockLatency = await measureLatency({ locker, port: sidecar.grpcPort, ...latency });
    for (const line of toLines(lockLatency, latency)) say(line);
    const { port, pid } = { port: sidecar.grpcPort, pid: sidecar.child.pid ?? 0 };
    script.advance(inFlights.length + 1, 'slow calls and clients');
    const found = await soak({ port, pid, ...load });
    const { beforeMb, mostMb, passedCalls } = found;
    say(
      `memory: ${toText(beforeMb)} MB before, ${toText(mostMb)} MB at most beside ${load.slow} slow calls and ${load.neglected} unread answers of 8 MB (${passedCalls} slow calls answered)`,
    );
    if (mostMb - beforeMb > MOST_ADDED_MB) {
      throw new Error(`the load added more than ${MOST_ADDED_MB} MB`);
    }
  } finally {
    for (const caller of [direct, passed, locker]) caller.close();
    await sidecar.stop('SIGKILL');
    await standIn.stop();
  }
}

function toLines(found: LatencyFinding, { rounds, seconds, callsASecond }: Load): string[] {
  const head = `lock calls alone, and beside ${callsASecond} slow calls a second (${toText(found.answeredASecond)} answered), ${rounds} rounds of ${seconds} s each:`;
  const figures = Object.entries({ p50: found.p50, p99: found.p99 });
  const lines = figures.map(
    ([name, { aloneMs, besideMs, ratio }]) =>
      `  ${name}: alone ${toRange(aloneMs)} ms, beside ${toRange(besideMs)} ms, ratio ${toRange(ratio)}`,
  );
  return [head, ...lines];
}

function toRange({ median, low, high, coverage }: MedianInterval): string {
  return `${toText(median)} (${toText(low)} to ${toText(high)}, ${(coverage * 100).toFixed(0)} %)`;
}

function toText(number: number): string {
  return number >= 100 ? number.toFixed(0) : number.toPrecision(3);
}

void runScript(command, main);
