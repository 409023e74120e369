import { readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import path from 'node:path';

import { createFolder, toComponentYaml, writeComponent } from '../support/component-files';
import { eventually } from '../support/eventually';
import { findFreePort } from '../support/free-port';
import { callDapr } from '../support/grpc-call';
import { callHttp, postJson } from '../support/http-call';
import { canBind, canConnect } from '../support/reachability';
import { SidecarProcess, type SidecarProcessOptions } from '../support/sidecar-process';

const LOCK = { resourceId: 'my_file_name', lockOwner: 'random_id_abc123', expiryInSeconds: 60 };
const UNLOCK = { resourceId: 'my_file_name', lockOwner: 'random_id_abc123' };
const MEMORY = ['--resources-path', 'components'];

describe('a sidecar process', () => {
  let sidecar: SidecarProcess;
  afterEach(async () => {
    await sidecar.stop('SIGKILL');
  });
  const start = async (options: SidecarProcessOptions = { args: MEMORY }) => {
    sidecar = await SidecarProcess.start(options);
    return sidecar;
  };
  const lock = (body: object = LOCK) =>
    postJson(sidecar.httpPort, '/v1.0-alpha1/lock/lockstore', body);
  const unlock = () => postJson(sidecar.httpPort, '/v1.0-alpha1/unlock/lockstore', UNLOCK);

  describe('that is started', () => {
    it('answers the calls of the README', async () => {
      await start();
      await expect(lock()).resolves.toEqual({ success: true });
      await expect(lock()).resolves.toEqual({ success: false });
      await expect(unlock()).resolves.toEqual({ status: 0 });
      await expect(unlock()).resolves.toEqual({ status: 1 });
    });

    it('has one set of locks behind both transports', async () => {
      await start();
      await lock();
      const message = { storeName: 'lockstore', ...LOCK };
      const answer = await callDapr(sidecar.grpcPort, { method: 'TryLockAlpha1', message });
      expect(answer.response).toEqual({ success: false });
    });

    it('writes nothing but log lines to standard output, and the line to paste beside them', async () => {
      await start();
      await sidecar.waitForOutput('Take a lock:');
      await sidecar.stop();
      const lines = sidecar.stdout.trimEnd().split('\n');
      expect(lines.filter((line) => !/^time=\S+ level=\w+ msg=/.test(line))).toEqual([]);
      expect(sidecar.strayErrors).toBe('');
    });

    it('writes the lines that launchers wait for', async () => {
      await start();
      for (const line of [
        'Starting Holdfast -- version 0.2.0',
        'Component loaded: lockstore (lock.in-memory/v1)',
        `API gRPC server is running on port ${sidecar.grpcPort}`,
        `HTTP server is running on port ${sidecar.httpPort}`,
        'Internal gRPC server is running on :',
      ]) {
        expect(sidecar.stdout).toContain(line);
      }
      expect(sidecar.stdout).toMatch(/dapr initialized\. Status: Running\. Init Elapsed \d+ms/);
    });

    it('logs nothing but JSON on request', async () => {
      await start({ args: [...MEMORY, '--log-as-json'] });
      const lines = sidecar.stdout.trim().split('\n');
      expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).not.toContain(
        'error',
      );
    });

    it('appends its log to a file', async () => {
      const folder = await createFolder();
      const file = path.join(folder, 'holdfast.log');
      await writeFile(file, 'before\n');
      sidecar = await SidecarProcess.spawn({ args: [...MEMORY, '--log-file', file] });
      await eventually(
        async () => {
          expect(await readFile(file, 'utf8')).toMatch(/^before\n[^]*dapr initialized/);
        },
        { withinMs: 10_000 },
      );
      await rm(folder, { recursive: true });
    });

    it('shows owners, resources and tokens at no level but debug, tokens never', async () => {
      await start({ args: MEMORY, env: { DAPR_API_TOKEN: 'sesame-token' } });
      const headers = { 'dapr-api-token': 'sesame-token' };
      const call = { path: '/v1.0-alpha1/lock/lockstore', body: JSON.stringify(LOCK), headers };
      await expect(callHttp(sidecar.httpPort, call)).resolves.toMatchObject({ status: 200 });
      await sidecar.stop();
      const log = sidecar.stdout.split('\n').filter((line) => line.startsWith('time='));
      expect(log.join('\n')).not.toMatch(/random_id_abc123|my_file_name|sesame-token/);
    });

    it('shows owners and resources at debug', async () => {
      await start({ args: [...MEMORY, '--log-level', 'debug'] });
      await lock();
      await sidecar.waitForOutput('owner=random_id_abc123');
    });

    it('survives a reload signal', async () => {
      await start();
      sidecar.child.kill('SIGHUP');
      await sidecar.waitForOutput('msg=Reloaded');
      await expect(lock()).resolves.toEqual({ success: true });
    });

    it('is reached over IPv4 and, where the machine has it, IPv6', async () => {
      await start();
      const hosts = ['127.0.0.1', ...((await canBind('::1')) ? ['::1'] : [])];
      for (const host of hosts) {
        await expect(canConnect(host, sidecar.httpPort)).resolves.toBe(true);
        await expect(canConnect(host, sidecar.grpcPort)).resolves.toBe(true);
      }
    });

    it('listens only where it is told to', async () => {
      await start({ args: [...MEMORY, '--dapr-listen-addresses', '127.0.0.1'] });
      await expect(lock()).resolves.toEqual({ success: true });
      await expect(canConnect('127.0.0.2', sidecar.httpPort)).resolves.toBe(false);
    });
  });

  describe('that is stopped', () => {
    it.each(['SIGTERM', 'SIGINT'] as const)('by %s ends with 0', async (signal) => {
      await start();
      await expect(sidecar.stop(signal)).resolves.toBe(0);
      expect(sidecar.stdout).toContain('Daprd shutdown gracefully');
    });

    it('ends in time though connections stand open that carry nothing', async () => {
      await start();
      const idle = [sidecar.httpPort, sidecar.grpcPort].map((port) => connect(port, '127.0.0.1'));
      await Promise.all(
        idle.map((socket) => new Promise((resolve) => socket.once('connect', resolve))),
      );
      for (const socket of idle) socket.on('error', () => undefined);
      await expect(sidecar.stop()).resolves.toBe(0);
      for (const socket of idle) socket.destroy();
    });

    it('by the shutdown API ends with 0', async () => {
      await start();
      const answer = await callHttp(sidecar.httpPort, { path: '/v1.0/shutdown' });
      expect(answer.status).toBe(204);
      await expect(sidecar.exited).resolves.toBe(0);
    });

    it('while it still starts ends with 0, and calls that no failure', async () => {
      const silent = createServer().listen(0, '127.0.0.1');
      await new Promise((resolve) => silent.once('listening', resolve));
      const { port } = silent.address() as AddressInfo;
      const metadata = { redisHost: `127.0.0.1:${port}` };
      const connected = new Promise<Socket>((resolve) => silent.once('connection', resolve));
      const folder = await writeComponent({ type: 'lock.redis', metadata });
      sidecar = await SidecarProcess.spawn({ args: ['--resources-path', folder] });
      const socket = await connected;
      await expect(sidecar.stop()).resolves.toBe(0);
      expect(sidecar.stdout).not.toContain('level=fatal');
      socket.destroy();
      silent.close();
    });

    it('by force ends with 1', async () => {
      await start();
      const metadata = { 'dapr-force-shutdown': 'true' };
      await callDapr(sidecar.grpcPort, { method: 'Shutdown', message: {}, metadata });
      await expect(sidecar.exited).resolves.toBe(1);
    });
  });

  describe('that can not start', () => {
    const fails = async (args: readonly string[], env = {}) => {
      sidecar = await SidecarProcess.spawn({ args, env });
      return sidecar.exited;
    };

    it('for an unknown flag ends with 2', async () => {
      await expect(fails(['--nope'])).resolves.toBe(2);
      expect(sidecar.stderr).toMatch(/^Usage: holdfast --app-id ID[^]*\nunknown flag: --nope\n$/);
    });

    it('for a bad option ends with 1', async () => {
      await expect(fails(['--app-id', 'a.b'])).resolves.toBe(1);
      expect(sidecar.stderr).toBe('parameter app-id cannot contain dots\n');
    });

    it('for a log file that can not be opened says why', async () => {
      await expect(fails([...MEMORY, '--log-file', '/nowhere/x.log'])).resolves.toBe(1);
      expect(sidecar.stderr).toMatch(
        /^can't open the file of --log-file: \/nowhere\/x\.log: it does not exist, .*\(ENOENT\)/,
      );
    });

    it('for a folder that is not there says which', async () => {
      await expect(fails(['--resources-path', '/nowhere'])).resolves.toBe(1);
      expect(sidecar.stdout).toMatch(
        /level=fatal msg="Fatal error from runtime: failed to load components: .*\/nowhere/,
      );
    });

    it('for two components of one name names both files', async () => {
      const folder = await writeComponent({ type: 'lock.redis', metadata: { redisHost: 'x' } });
      await expect(fails([...MEMORY, '--resources-path', folder])).resolves.toBe(1);
      expect(sidecar.stdout).toMatch(
        /duplicate definition of Component name lockstore.*lockstore\.yaml and components\/lockstore\.yaml/,
      );
    });

    it('for a component of an unknown type says so', async () => {
      const folder = await writeComponent({ type: 'lock.zookeeper' });
      await expect(fails(['--resources-path', folder])).resolves.toBe(1);
      expect(sidecar.stdout).toContain("couldn't find lock store lock.zookeeper/v1");
    });

    it('for a Redis that is not there says so, and never opens its ports', async () => {
      const redisHost = `127.0.0.1:${await findFreePort()}`;
      const spec = '  initTimeout: 300ms\n';
      const folder = await writeComponent({ type: 'lock.redis', metadata: { redisHost }, spec });
      await expect(fails(['--resources-path', folder])).resolves.toBe(1);
      expect(sidecar.stdout).toMatch(
        /level=fatal msg="Fatal error from runtime: failed to load components: process component lockstore error: \[INIT_COMPONENT_FAILURE\].*error connecting to Redis: .*ECONNREFUSED/,
      );
      expect(sidecar.stdout).not.toContain('listening on TCP address');
    });

    it.each([
      [0, 'HTTP'],
      [1, 'gRPC'],
    ])('for port %i in use says so', async (which, label) => {
      const ports = [await findFreePort(), await findFreePort()];
      const other = createServer().listen(ports[which], '::');
      await new Promise((resolve) => other.once('listening', resolve));
      const args = ['--dapr-http-port', String(ports[0]), '--dapr-grpc-port', String(ports[1])];
      await expect(fails([...MEMORY, ...args])).resolves.toBe(1);
      expect(sidecar.stdout).toContain(
        `Fatal error from runtime: could not listen on any endpoint: the ${label} port ${ports[which]!}`,
      );
      expect(sidecar.stdout).toContain('EADDRINUSE');
      other.close();
    });
  });

  describe('beside a file that is broken', () => {
    it('starts without it and says what is wrong with it', async () => {
      const folder = await createFolder();
      await writeFile(
        path.join(folder, 'bad.yaml'),
        'apiVersion: dapr.io/v1alpha1\nkind: Component\nspec: 1\n',
      );
      await writeFile(path.join(folder, 'good.yaml'), toComponentYaml({ type: 'lock.in-memory' }));
      await start({ args: ['--resources-path', folder] });
      expect(sidecar.stdout).toMatch(
        /level=warning msg="daprd load Component error .*bad\.yaml:3:7 spec: must be a map/,
      );
      await expect(lock()).resolves.toEqual({ success: true });
    });
  });

  describe('that only prints', () => {
    it.each([
      ['--version', '1.18.3\n'],
      ['--help', 'Usage: holdfast'],
    ])('%s ends with 0', async (flag, text) => {
      sidecar = await SidecarProcess.spawn({ args: [flag] });
      await expect(sidecar.exited).resolves.toBe(0);
      expect(sidecar.stdout.startsWith(text)).toBe(true);
    });

    it('--wait ends with 0 once the other sidecar is ready', async () => {
      await start();
      const port = String(sidecar.httpPort);
      const waiting = await SidecarProcess.spawn({ args: ['--wait', '--dapr-http-port', port] });
      await expect(waiting.exited).resolves.toBe(0);
    });
  });
});
