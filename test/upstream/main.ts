import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';

import { runProgram } from '../interop/client-program';
import { javascriptClients } from '../interop/javascript/client';
import type { CommandLine } from '../interop/process-group';
import { pythonClients } from '../interop/python/client';
import { runCommand } from '../interop/run-command';
import { Steps } from '../interop/steps';
import { chooseGrpcServer, grpcServerOption } from '../support/grpc-server-choice';
import { createScript, type ScriptValues } from '../support/long-run/script-command';
import { runScript, type ScriptRun } from '../support/long-run/script-run';
import { SidecarProcess } from '../support/sidecar-process';
import { buildGoPrograms, cacheFolder, StandIn } from './site';

/** The messages to every client, whichever component answers. */
const COMMON = {
  state: 'value',
  id: 'stand-in',
  'component statestore': 'state.in-memory',
  'component lockstore': 'lock.in-memory',
};
const EVENTS = { 'event 0': 'event 0', 'event 1': 'event 1', 'event 2': 'event 2' };
const LARGE = { 'large state': '3000000' };

const command = createScript({
  name: 'test:upstream',
  description:
    "Takes Dapr's official clients through state, streaming subscriptions and locks at one address: Holdfast in front of a stand-in for a daprd.",
  example: '--quiet',
}).addOption(grpcServerOption());

interface UpstreamValues extends ScriptValues {
  readonly grpcServer?: string;
}

/** How many programs are run. */
const RUNS = 4;

/** Prints what passed. */
async function main(values: UpstreamValues, script: ScriptRun): Promise<void> {
  chooseGrpcServer(values.grpcServer);
  script.begin({ total: RUNS, unit: 'programs' });
  const programs = await buildGoPrograms(runCommand);
  const python = await prepare(pythonClients[0]!, 'program.py');
  const javascript = await prepare(javascriptClients[0]!, 'program.js');
  const standIn = await StandIn.start(programs.standIn);
  const sidecar = await SidecarProcess.start({
    args: [
      ...['--resources-path', 'components'],
      ...['--upstream-grpc-endpoint', standIn.grpcAddress],
      ...['--upstream-http-endpoint', `http://${standIn.httpAddress}`],
    ],
  });
  const steps = new Steps();
  const env = {
    DAPR_GRPC_PORT: String(sidecar.grpcPort),
    DAPR_HTTP_PORT: String(sidecar.httpPort),
  };
  let done = 0;
  const run = async (command: CommandLine, more: Readonly<Record<string, string>> = {}) => {
    const output = await runProgram(command, { scenario: [], env: { ...env, ...more } });
    done += 1;
    script.advance(done);
    return output;
  };
  try {
    steps.check('Go', await run({ file: programs.client, args: [] }), {
      ...{ ...COMMON, ...EVENTS, ...LARGE, lock: 'true', 'lock again while subscribed': 'false' },
      ...{ unlock: 'SUCCESS', deadline: 'true', 'state after it': 'value' },
      ...{ 'too large a message': 'ResourceExhausted true 4194304', 'too large a body': '413' },
    });
    steps.check('Python', await run(python), {
      ...{ ...COMMON, ...EVENTS, ...LARGE, lock: 'True', 'lock again while subscribed': 'False' },
      unlock: 'success',
    });
    for (const PROTOCOL of ['grpc', 'http']) {
      steps.check(`JavaScript over ${PROTOCOL}`, await run(javascript, { PROTOCOL }), {
        ...{ ...COMMON, lock: 'true', 'lock again': 'false', unlock: '0' },
        ...(PROTOCOL === 'grpc' ? EVENTS : {}),
      });
    }
  } finally {
    await sidecar.stop();
    await standIn.stop();
  }
  const { failed, steps: count } = steps.report;
  for (const { step, expected, answered } of failed) {
    script.print(`FAILED ${step}\n  expected ${expected}\n  answered ${answered}\n`);
  }
  script.print(`${count - failed.length} of ${count} steps passed\n`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

/** Brings a client's package in, where the tests of the clients keep it, beside this program. */
async function prepare(
  client: (typeof pythonClients)[number],
  program: string,
): Promise<CommandLine> {
  const folder = cacheFolder('interop', `${client.folder}-${client.version}`);
  await mkdir(folder, { recursive: true });
  const { file, args } = await client.prepare(folder, runCommand);
  const name = `upstream-${program}`;
  await copyFile(path.join(__dirname, 'programs', program), path.join(folder, name));
  return { file, args: [...args.slice(0, -1), path.join(folder, name)] };
}

void runScript(command, main);
