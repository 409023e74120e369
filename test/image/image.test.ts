import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import packageJson from '../../package.json';
import { toComponentYaml } from '../support/component-files';
import { eventually } from '../support/eventually';
import { findFreePort } from '../support/free-port';
import { callDapr } from '../support/grpc-call';
import { callHttp, lockOverHttp } from '../support/http-call';
import { AT_MOST_BYTES, BuiltImage, DAPRD_MB, IMAGES, removeImages } from './built-image';
import { Container, type ContainerOptions, runInContainer } from './container';
import { MODULES, RESOURCES } from './testcontainers';

const PATIENCE = { withinMs: 20_000 };

const image = new BuiltImage(IMAGES.image);
const bare = new BuiltImage(IMAGES.bare);
const base = new BuiltImage(image.config.Labels?.['org.opencontainers.image.base.name'] ?? '');

const folders: string[] = [];
let container: Container | undefined;

afterEach(async () => {
  await container?.kill();
  container = undefined;
});
afterAll(() => {
  for (const each of [image, bare, base]) each.close();
  removeImages();
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** A folder with files that every user may read, as a volume of a cluster is mounted. */
function volume(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-volume-'));
  folders.push(folder);
  chmodSync(folder, 0o755);
  for (const [name, text] of Object.entries(files))
    writeFileSync(path.join(folder, name), text, { mode: 0o444 });
  return folder;
}

const memory = (name = 'lockstore') => toComponentYaml({ name, type: 'lock.in-memory' });

interface Started {
  readonly container: Container;
  readonly httpPort: number;
  readonly grpcPort: number;
}

/** Starts the image: the command of the image, or one that a deployment gives, and free ports. */
async function start(
  words: readonly string[] = image.config.Cmd ?? [],
  options: Partial<ContainerOptions> & { readonly of?: BuiltImage } = {},
): Promise<Started> {
  const { of = image, ...others } = options;
  const [httpPort, grpcPort, metricsPort] = [
    await findFreePort(),
    await findFreePort(),
    await findFreePort(),
  ];
  const ports = ['--dapr-http-port', httpPort, '--dapr-grpc-port', grpcPort];
  const flags = [...ports, '--metrics-port', metricsPort].map(String);
  const command = [...(of.config.Entrypoint ?? []), ...words, ...flags];
  container = new Container({ root: of.root, env: of.env, command, ...others });
  await container.says('dapr initialized.');
  return { container, httpPort, grpcPort };
}

async function expectLocks({ httpPort, grpcPort }: Started): Promise<void> {
  await expect(lockOverHttp(httpPort, 'over-http')).resolves.toEqual({ success: true });
  const names = { storeName: 'lockstore', resourceId: 'over-http', lockOwner: 'o' };
  const unlock = { method: 'UnlockAlpha1', message: names };
  await expect(callDapr(grpcPort, unlock)).resolves.toMatchObject({
    response: { status: 0 },
  });
  const lock = { method: 'TryLockAlpha1', message: { ...names, expiryInSeconds: 5 } };
  await expect(callDapr(grpcPort, lock)).resolves.toMatchObject({ response: { success: true } });
  await expect(lockOverHttp(httpPort, 'over-http')).resolves.toEqual({ success: false });
}

describe('the image', () => {
  it('weighs at most 8 MB more than its base', () => {
    const mb = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
    const added = image.bytes - base.bytes;
    process.stdout.write(
      `image: ${mb(image.bytes)} MB, base: ${mb(base.bytes)} MB, added: ${mb(added)} MB ` +
        `(at most ${mb(AT_MOST_BYTES)}); without a shell: ${mb(bare.bytes)} MB; daprd's: some ${DAPRD_MB} MB\n`,
    );
    expect(added).toBeGreaterThan(0);
    expect(added).toBeLessThanOrEqual(AT_MOST_BYTES);
    expect(image.layers - base.layers).toBe(1);
  });

  it('says what it is, who runs it, and how it is stopped and asked', () => {
    const { config, healthCheck } = image;
    const labels = Object.entries(config.Labels ?? {}).map(([name, value]) => [
      name.replace('org.opencontainers.image.', ''),
      value,
    ]);
    expect(Object.fromEntries(labels)).toMatchObject({
      title: 'Holdfast',
      licenses: packageJson.license,
      version: packageJson.version,
      description: expect.stringContaining('lock sidecar') as string,
    });
    expect(config).toMatchObject({ User: '1000:1000', StopSignal: 'SIGTERM', WorkingDir: '/' });
    expect(Object.keys(config.ExposedPorts ?? {}).sort()).toEqual([
      '3500/tcp',
      '50001/tcp',
      '9090/tcp',
    ]);
    expect(healthCheck?.Test).toEqual(['CMD', '/holdfast/healthcheck.js']);
  });

  it('has code for the Node that runs it', async () => {
    const script = `const { isCached, script } = require('/holdfast/dist/main.js').compile('holdfast');
      console.log(isCached, script.cachedDataRejected)`;
    const { root, env } = image;
    const end = await runInContainer({ root, env, command: ['/usr/local/bin/node', '-e', script] });
    expect(end).toEqual({ code: 0, output: 'true false\n' });
  });
});

describe('a container of the image', () => {
  it('grants and releases locks over both transports, with nothing that it can write', async () => {
    await expectLocks(await start());
  });

  it('serves the page', async () => {
    const { httpPort } = await start();
    for (const file of ['', 'page.js', 'page.css', 'icon.svg']) {
      const { status } = await callHttp(httpPort, { method: 'GET', path: `/holdfast/${file}` });
      expect([file, status]).toEqual([file, 200]);
    }
  });

  it('runs as a user that the image does not know, as on OpenShift', async () => {
    await expectLocks(await start(undefined, { uid: 1_000_660_000, gid: 0 }));
  });

  it('ends in time at SIGTERM, with exit code 0', async () => {
    const { container: running } = await start();
    await running.signal(image.config.StopSignal as NodeJS.Signals);
    const beganAt = performance.now();
    await expect(running.exited).resolves.toBe(0);
    // docker stop waits for 10 s, Kubernetes for 30.
    expect(performance.now() - beganAt).toBeLessThan(10_000);
  });

  it('is healthy while it serves, and not while it waits for its store', async () => {
    const command = image.healthCheck?.Test.slice(1) ?? [];
    const { container: running } = await start();
    await expect(running.exec(command)).resolves.toEqual({ code: 0, output: '' });
    await running.kill();

    const nobody = { redisHost: `127.0.0.1:${await findFreePort()}` };
    const files = { 'lockstore.yaml': toComponentYaml({ type: 'lock.redis', metadata: nobody }) };
    const httpPort = await findFreePort();
    const flags = ['--app-id', 'a', '--dapr-http-port', String(httpPort)];
    const others = ['--dapr-grpc-port', String(await findFreePort()), '--enable-metrics=false'];
    container = new Container({
      root: image.root,
      env: image.env,
      command: [...(image.config.Entrypoint ?? []), ...flags, ...others],
      mounts: { '/components': volume(files) },
    });
    await container.says('app id: a');
    const { code, output } = await container.exec(command);
    expect(code).toBe(1);
    expect(output).toMatch(/\/v1\.0\/healthz answered 500|ECONNREFUSED/);
  });

  it('follows a mounted folder of components', async () => {
    const folder = volume({ 'lockstore.yaml': memory() });
    const { httpPort } = await start(undefined, { mounts: { '/components': folder } });
    writeFileSync(path.join(folder, 'second.yaml'), memory('second'));
    await eventually(async () => {
      await expect(lockOverHttp(httpPort, 'r', 'second')).resolves.toEqual({ success: true });
    }, PATIENCE);
    await expect(lockOverHttp(httpPort, 'r')).resolves.toEqual({ success: true });
  });

  it('takes a mounted secret by the store of secrets in files', async () => {
    const secrets = volume({ 'secrets.json': JSON.stringify({ prefix: 'name' }) });
    const components = volume({
      'secretstore.yaml': toComponentYaml({
        name: 'files',
        type: 'secretstores.local.file',
        metadata: { secretsFile: '/secrets/secrets.json' },
      }),
      'lockstore.yaml': `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: lockstore}
spec:
  type: lock.in-memory
  version: v1
  metadata:
  - name: keyPrefix
    secretKeyRef: {name: prefix, key: prefix}
auth: {secretStore: files}
`,
    });
    const mounts = { '/components': components, '/secrets': secrets };
    await expectLocks(await start(undefined, { mounts }));
  });

  it('has the other commands too, by the name holdfast', async () => {
    const { root, env } = image;
    const check = ['/usr/local/bin/holdfast', 'check', '--components', '/components'];
    const end = await runInContainer({ root, env, command: check });
    expect(end.code).toBe(0);
    const version = [...(image.config.Entrypoint ?? []), '--version'];
    await expect(runInContainer({ root, env, command: version })).resolves.toEqual({
      code: 0,
      output: '1.18.3\n',
    });
  });
});

describe.each(MODULES)('with the command line of $name Testcontainers', (module) => {
  it('is ready as the module expects it, and grants locks', async () => {
    const files = { ...RESOURCES, 'lockstore.yaml': memory() };
    const mounts = { [module.components]: volume(files) };
    const started = await start(module.command, { mounts });
    const { readyAt } = module;
    if ('line' in readyAt) expect(started.container.output).toContain(readyAt.line);
    else {
      const call = { method: 'GET', path: readyAt.path };
      await expect(callHttp(started.httpPort, call)).resolves.toMatchObject({ status: 204 });
    }
    await expectLocks(started);
  });

  it('is started by it alone, as Kubernetes puts a command in the place of the entry point', async () => {
    const files = { ...RESOURCES, 'lockstore.yaml': memory() };
    const ports = ['--dapr-http-port', String(await findFreePort()), '--enable-metrics=false'];
    const command = [...module.command, ...ports, '--dapr-grpc-port', String(await findFreePort())];
    const mounts = { [module.components]: volume(files) };
    container = new Container({ root: image.root, env: image.env, command, mounts });
    await container.says('dapr initialized.');
  });
});

describe('the image on a base without a shell', () => {
  it('has none', async () => {
    const { root, env } = bare;
    const end = await runInContainer({ root, env, command: ['/bin/sh', '-c', 'exit 0'] });
    expect(end).toMatchObject({ code: 1, output: expect.stringContaining('/bin/sh') as string });
  });

  it('grants locks, is healthy, and ends with exit code 0', async () => {
    const started = await start(bare.config.Cmd, { of: bare });
    await expectLocks(started);
    const command = bare.healthCheck?.Test.slice(1) ?? [];
    await expect(started.container.exec(command)).resolves.toEqual({ code: 0, output: '' });
    await started.container.signal('SIGTERM');
    await expect(started.container.exited).resolves.toBe(0);
  });
});
