import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import path from 'node:path';

import { createFolder, writeComponent } from '../support/component-files';
import { eventually } from '../support/eventually';
import { findFreePort } from '../support/free-port';
import { callDapr } from '../support/grpc-call';
import { callHttp } from '../support/http-call';
import { withoutDapr } from '../support/plain-environment';

const ROOT = path.join(__dirname, '../..');
const PATIENCE = { withinMs: 15_000 };

/** The content that `dapr init` writes to ~/.dapr/config.yaml. */
const CONFIG = `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata:
  name: daprConfig
spec:
  tracing:
    samplingRate: "1"
    zipkin:
      endpointAddress: http://127.0.0.1:1/api/v2/spans
`;

/** A home with the runtime path of the CLI, in which Holdfast has taken daprd's place. */
async function createHome(): Promise<string> {
  const home = await createFolder();
  const bin = path.join(home, '.dapr/bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(path.join(bin, 'daprd'), 'the real one\n');
  writeFileSync(path.join(home, '.dapr/config.yaml'), CONFIG);
  const installed = path.join(home, 'npm');
  mkdirSync(installed);
  symlinkSync(path.join(ROOT, 'dist/main.js'), path.join(installed, 'holdfast'));
  const page = readFileSync(path.join(ROOT, 'docs/operations.md'), 'utf8');
  const [, line = ''] = /^(mv -n ~\/\.dapr\/bin\/daprd .*)$/m.exec(page) ?? [];
  const PATH = `${installed}:${path.dirname(process.execPath)}:/usr/bin:/bin`;
  const take = () => execFileSync('sh', ['-c', line], { env: { HOME: home, PATH }, stdio: 'pipe' });
  take();
  // A second time must not lose the real one.
  expect(take).toThrow('File exists');
  expect(readFileSync(path.join(bin, 'daprd.dapr'), 'utf8')).toBe('the real one\n');
  expect(readlinkSync(path.join(bin, 'daprd'))).toBe(path.join(installed, 'holdfast'));
  return home;
}

/** How `dapr list` reads a process: its name, and the words after the first in pairs (pkg/standalone/list.go). */
function listed(pid: number): { name: string; flags: ReadonlyMap<string, string> } {
  const [, name = ''] = /\((.*)\)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
  const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  const words = line.split(' ').filter((word) => word !== '');
  const flags = new Map<string, string>();
  for (let at = 1; at < words.length - 1; at += 2) flags.set(words[at] ?? '', words[at + 1] ?? '');
  return { name, flags };
}

function dial(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(port, '127.0.0.1', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}

// The CLI can't be had from Go's module proxy, so its calls are repeated: pkg/standalone/run.go, list.go and stop.go.
it('takes the place of daprd for the Dapr CLI: dapr run, dapr list and dapr stop', async () => {
  const home = await createHome();
  const daprd = path.join(home, '.dapr/bin/daprd');
  const env = { ...withoutDapr(process.env), DAPR_HOST_IP: '127.0.0.1' };
  expect(execFileSync(daprd, ['--version'], { env, encoding: 'utf8' })).toBe('1.18.3\n');

  const [http, grpc] = [await findFreePort(), await findFreePort()];
  const [metrics, internal] = [await findFreePort(), await findFreePort()];
  const words = [
    ...['--config', path.join(home, '.dapr/config.yaml'), '--app-protocol', 'http'],
    ...['--log-level', 'info', '--app-max-concurrency', '-1'],
    ...['--placement-host-address', 'localhost:50005'],
    ...['--resources-path', await writeComponent({ type: 'lock.in-memory' })],
    ...['--max-body-size', '4Mi', '--read-buffer-size', '4Ki'],
    ...['--scheduler-host-address', 'localhost:50006', '--app-id', 'orders', '--app-port', '0'],
    ...['--dapr-http-port', String(http), '--dapr-grpc-port', String(grpc), '--profile-port', '-1'],
    ...['--metrics-port', String(metrics), '--dapr-internal-grpc-port', String(internal)],
  ];
  const child = spawn(daprd, words, { env, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    for (const port of [http, grpc]) await eventually(() => dial(port), PATIENCE);
    const cliPid = { method: 'PUT', path: '/v1.0/metadata/cliPID', body: String(process.pid) };
    const headers = { 'content-type': 'text/plain' };
    await expect(callHttp(http, { ...cliPid, headers })).resolves.toMatchObject({ status: 204 });

    const lock = { storeName: 'lockstore', resourceId: 'r', lockOwner: 'o', expiryInSeconds: 5 };
    await expect(callDapr(grpc, { method: 'TryLockAlpha1', message: lock })).resolves.toMatchObject(
      { response: { success: true } },
    );

    const { name, flags } = listed(child.pid ?? 0);
    expect(name).toBe('daprd');
    expect(flags.get('--app-id')).toBe('orders');
    expect(flags.get('--dapr-http-port')).toBe(String(http));
    expect(flags.get('--dapr-grpc-port')).toBe(String(grpc));
    const metadata = await callHttp(http, { method: 'GET', path: '/v1.0/metadata' });
    expect(JSON.parse(metadata.body)).toMatchObject({
      id: 'orders',
      extended: { cliPID: String(process.pid) },
    });
  } finally {
    execFileSync('kill', [String(child.pid)]);
  }
  await expect(ended).resolves.toBe(0);
});

/** The words that `dapr run -f` gives to the daprd of each app; ports that the file does not name are drawn. */
async function toWords(home: string, app: string, resources: string) {
  const [http, grpc] = [await findFreePort(), await findFreePort()];
  const [metrics, internal] = [await findFreePort(), await findFreePort()];
  const words = [
    ...['--config', path.join(home, '.dapr/config.yaml'), '--log-level', 'info'],
    ...['--resources-path', resources, '--app-id', app, '--app-port', '0'],
    ...['--dapr-http-port', String(http), '--dapr-grpc-port', String(grpc)],
    ...['--metrics-port', String(metrics), '--dapr-internal-grpc-port', String(internal)],
  ];
  return { app, http, grpc, words, log: path.join(home, `${app}_daprd.log`) };
}

/**
 * Stands for the CLI: starts the daprds in its own process group, with their output in files, writes their process ids,
 * and then the exit code of each that ends.
 */
const CLI = `
const [daprd, ...apps] = JSON.parse(process.argv[1]);
process.on('SIGINT', () => undefined);
for (const { app, log, words } of apps) {
  const file = require('fs').openSync(log, 'w');
  const child = require('child_process').spawn(daprd, words, { stdio: ['ignore', file, file] });
  console.log(app + ' pid ' + child.pid);
  child.once('exit', (code) => console.log(app + ' ended ' + code));
}`;

// `dapr run -f dapr.yaml`, `dapr stop --app-id` (SIGTERM for one daprd) and `dapr stop -f` (SIGINT for the process group
// of the CLI): pkg/standalone/stop.go.
it('takes the place of daprd for dapr run -f with two apps, and for dapr stop by app and by file', async () => {
  const home = await createHome();
  const resources = await writeComponent({ type: 'lock.in-memory' });
  const env = { ...withoutDapr(process.env), DAPR_HOST_IP: '127.0.0.1' };
  const orders = await toWords(home, 'orders', resources);
  const stock = await toWords(home, 'stock', resources);
  const plan = JSON.stringify([path.join(home, '.dapr/bin/daprd'), orders, stock]);
  const cli = spawn(process.execPath, ['-e', CLI, plan], { env, detached: true });
  const group = cli.pid!;
  const gone = once(cli, 'close');
  let told = '';
  cli.stdout.on('data', (part: Buffer) => (told += part.toString()));
  const until = (text: RegExp) =>
    eventually(() => {
      expect(told).toMatch(text);
    }, PATIENCE);
  try {
    for (const { app, http, grpc } of [orders, stock]) {
      for (const port of [http, grpc]) await eventually(() => dial(port), PATIENCE);
      const extended = { cliPID: String(group), runTemplatePath: '/x/dapr.yaml' };
      for (const [name, body] of Object.entries(extended)) {
        const put = { method: 'PUT', path: `/v1.0/metadata/${name}`, body };
        const headers = { 'content-type': 'text/plain' };
        expect(await callHttp(http, { ...put, headers })).toMatchObject({ status: 204 });
      }
      const { name, flags } = listed(pidOf(told, app));
      expect([name, flags.get('--app-id')]).toEqual(['daprd', app]);
      expect(flags.get('--dapr-http-port')).toBe(String(http));
      const metadata = await callHttp(http, { method: 'GET', path: '/v1.0/metadata' });
      expect(JSON.parse(metadata.body)).toMatchObject({ id: app, extended });
    }
    process.kill(pidOf(told, 'orders'), 'SIGTERM');
    await until(/orders ended 0/);
    const message = { storeName: 'lockstore', resourceId: 'r', lockOwner: 'o', expiryInSeconds: 5 };
    const taken = await callDapr(stock.grpc, { method: 'TryLockAlpha1', message });
    expect(taken).toMatchObject({ response: { success: true } });
    process.kill(-group, 'SIGINT');
    await until(/stock ended 0/);
    expect(readFileSync(stock.log, 'utf8')).toContain('stock');
  } finally {
    if (!told.includes('stock ended')) process.kill(-group, 'SIGKILL');
    await gone;
  }
});

function pidOf(told: string, app: string): number {
  return Number(new RegExp(`${app} pid (\\d+)`).exec(told)?.[1]);
}
