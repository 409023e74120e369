import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

import { runCommand } from '../interop/run-command';
import { buildGoPrograms, StandIn } from './site';

/** Where the stand-in listens; Holdfast has daprd's usual ports before it. */
const STAND_IN_GRPC = '127.0.0.1:50101';
const STAND_IN_HTTP = '127.0.0.1:3510';

/**
 * Starts the stand-in for a daprd, and Holdfast in front of it on daprd's usual ports, until Ctrl-C.
 * Further arguments go to Holdfast.
 */
async function main(): Promise<void> {
  const { standIn: file } = await buildGoPrograms(runCommand);
  const standIn = await StandIn.start(file, ['-grpc', STAND_IN_GRPC, '-http', STAND_IN_HTTP]);
  const holdfast = spawn(
    process.execPath,
    [
      path.join(__dirname, '../../dist/main.js'),
      ...['--app-id', 'myapp', '--resources-path', 'components'],
      ...['--upstream-grpc-endpoint', STAND_IN_GRPC, '--upstream-http-endpoint', STAND_IN_HTTP],
      ...process.argv.slice(2),
    ],
    { stdio: 'inherit' },
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => holdfast.kill(signal));
  }
  const [code] = (await once(holdfast, 'close')) as [number | null];
  await standIn.stop();
  process.exitCode = code ?? 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
