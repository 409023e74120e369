import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

import { createFolder } from '../support/component-files';
import { eventually } from '../support/eventually';
import { findFreePort } from '../support/free-port';
import { lockOverHttp } from '../support/http-call';
import { withoutDapr } from '../support/plain-environment';

const ROOT = path.join(__dirname, '../..');

/** How long npm may take to pack, install and start; a stated allowance for a busy machine, in milliseconds. */
const WITHIN_MS = 60_000;

/** The package as it is packed and shown. */
const CHECKOUT = ['package.json', 'README.md', 'LICENSE', 'dist', 'proto', 'components'];

/** The lines below a heading, as somebody would copy them. */
function readLines(heading: string): string {
  const readme = readFileSync(path.join(ROOT, 'README.md'), 'utf8');
  const section = readme.slice(readme.indexOf(`\n## ${heading}\n`));
  return /^```sh\n([^]*?)\n```$/m.exec(section)?.[1] ?? '';
}

/** The ports of a test, for the sidecar that the last line starts. */
async function toPorts(): Promise<{ readonly httpPort: number; readonly flags: string }> {
  const [httpPort, grpcPort, metricsPort] = [
    await findFreePort(),
    await findFreePort(),
    await findFreePort(),
  ];
  const flags = `--dapr-http-port ${httpPort} --dapr-grpc-port ${grpcPort} --metrics-port ${metricsPort}`;
  return { httpPort, flags };
}

it(
  'is packed, installed and started by the lines of README.md, and grants locks',
  async () => {
    const folder = await createFolder();
    const checkout = path.join(folder, 'holdfast');
    mkdirSync(checkout);
    for (const name of CHECKOUT) {
      cpSync(path.join(ROOT, name), path.join(checkout, name), { recursive: true });
    }
    const { httpPort, flags } = await toPorts();
    // What is packed is what the other tests run, and was fetched for this checkout.
    const npm = {
      npm_config_ignore_scripts: 'true',
      npm_config_prefer_offline: 'true',
      npm_config_loglevel: 'error',
    };
    const shell = spawn('sh', ['-ec', `${readLines('Without a container')} ${flags}`], {
      cwd: checkout,
      env: { ...withoutDapr(process.env), ...npm },
      stdio: ['ignore', 'ignore', 'inherit'],
      detached: true,
    });
    const ended = once(shell, 'close');
    try {
      await eventually(
        () => expect(lockOverHttp(httpPort, 'r')).resolves.toEqual({ success: true }),
        { withinMs: WITHIN_MS },
      );
    } finally {
      process.kill(-shell.pid!, 'SIGKILL');
      await ended;
      rmSync(folder, { recursive: true });
    }
  },
  2 * WITHIN_MS,
);
