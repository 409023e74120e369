import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { createScript, type ScriptValues } from '../support/long-run/script-command';
import { runScript, type ScriptRun } from '../support/long-run/script-run';
import { createTestServiceTransport } from './test-service-transport';

const run = promisify(execFile);

/** The cases of grpc-go's client that test a server, and need no cloud. */
const CASES = [
  'empty_unary',
  'large_unary',
  'client_streaming',
  'server_streaming',
  'ping_pong',
  'empty_stream',
  'timeout_on_sleeping_server',
  'cancel_after_begin',
  'cancel_after_first_response',
  'status_code_and_message',
  'special_status_message',
  'custom_metadata',
  'unimplemented_method',
  'unimplemented_service',
  'rpc_soak',
  'channel_soak',
];

/** The path of the client, as scripts/ensure-interop-client.js builds it. */
function findClient(): string {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- a script of plain JavaScript
  const { interopClientPath: find } = require('../../scripts/ensure-interop-client') as {
    readonly interopClientPath: (env: NodeJS.ProcessEnv) => string;
  };
  return find(process.env);
}

const command = createScript({
  name: 'test:grpc-interop',
  description: 'Runs the interop client of grpc-go against our own HTTP/2, case by case.',
  example: '--quiet',
});

/** Exit code 1 if a case fails. */
async function main(_values: ScriptValues, script: ScriptRun): Promise<void> {
  const client = findClient();
  const transport = createTestServiceTransport();
  const { port } = await transport.listen({ host: '127.0.0.1', port: 0 });
  script.begin({ total: CASES.length, unit: 'cases' });
  for (const [done, name] of CASES.entries()) {
    script.advance(done, name);
    const args = [`--server_port=${port}`, '--server_host=127.0.0.1', `--test_case=${name}`];
    const verdict = await run(client, [...args, '--soak_iterations=100'], { timeout: 60_000 }).then(
      () => 'passed',
      (error: unknown) => {
        process.exitCode = 1;
        return `FAILED\n${(error as { readonly stderr: string }).stderr}`;
      },
    );
    script.print(`${name}: ${verdict}\n`);
  }
  await transport.close();
}

void runScript(command, main);
