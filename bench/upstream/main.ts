import { runCommand } from '../../test/interop/run-command';
import { createScript, type ScriptValues } from '../../test/support/long-run/script-command';
import { runScript, type ScriptRun } from '../../test/support/long-run/script-run';
import { SidecarProcess } from '../../test/support/sidecar-process';
import { buildGoPrograms, StandIn } from '../../test/upstream/site';
import { Caller } from './caller';
import { measureRatio } from './ratio';
import { soak } from './soak';

/** The most memory that the load may add, in MB: a window and a buffer for each stream, twice. */
const MOST_ADDED_MB = 200;

const FULL = { rounds: 15, calls: 2000, seconds: 20, slow: 500, neglected: 200 };
const SMOKE = { rounds: 3, calls: 300, seconds: 2, slow: 100, neglected: 50 };

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
  const { rounds, calls, ...load } = values.smoke ? SMOKE : FULL;
  const say = (line: string): void => {
    script.print(`${line}\n`);
  };
  const inFlights = [1, 50];
  script.begin({ total: inFlights.length + 1, unit: 'parts' });
  const { standIn: file } = await buildGoPrograms(runCommand);
  const standIn = await StandIn.start(file);
  const sidecar = await SidecarProcess.start({
    args: ['--resources-path', 'components', '--upstream-grpc-endpoint', standIn.grpcAddress],
  });
  const direct = await Caller.open(Number(standIn.grpcAddress.split(':')[1]));
  const passed = await Caller.open(sidecar.grpcPort);
  try {
    for (const [index, inFlight] of inFlights.entries()) {
      script.advance(index, `unary call, ${inFlight} in flight`);
      const found = await measureRatio({ direct, passed, rounds, calls }, inFlight);
      say(
        `unary call, ${inFlight} in flight: direct ${toText(found.directUs)} µs, passed on ${toText(found.passedUs)} µs, ratio ${toText(found.ratio)}`,
      );
    }
    const { port, pid } = { port: sidecar.grpcPort, pid: sidecar.child.pid ?? 0 };
    script.advance(inFlights.length, 'slow calls and clients');
    const found = await soak({ port, pid, ...load });
    const { alone, beside, beforeMb, mostMb, passedCalls } = found;
    say(
      `lock calls: alone p50 ${toText(alone.medianMs)} ms, p99 ${toText(alone.p99Ms)} ms; beside ${load.slow} slow calls and ${load.neglected} unread answers of 8 MB p50 ${toText(beside.medianMs)} ms, p99 ${toText(beside.p99Ms)} ms`,
    );
    say(
      `memory: ${toText(beforeMb)} MB before, ${toText(mostMb)} MB at most beside the load (${passedCalls} slow calls answered)`,
    );
    if (mostMb - beforeMb > MOST_ADDED_MB) {
      throw new Error(`the load added more than ${MOST_ADDED_MB} MB`);
    }
  } finally {
    for (const caller of [direct, passed]) caller.close();
    await sidecar.stop('SIGKILL');
    await standIn.stop();
  }
}

function toText(number: number): string {
  return number >= 100 ? number.toFixed(0) : number.toPrecision(3);
}

void runScript(command, main);
