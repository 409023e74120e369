import { execFileSync, spawn } from 'node:child_process';
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

/** What `dapr init` writes to ~/.dapr/config.yaml. */
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
