import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { CommandProcess, isRunning } from '../support/command-process';
import { createFolder, writeComponent } from '../support/component-files';
import { eventually } from '../support/eventually';
import { type RedisServer, startRedisServer } from '../support/redis-server';
import { SidecarProcess } from '../support/sidecar-process';

/** A command whose sidecar or Redis fails is ended before its lease ends. */
let redis: RedisServer;
let components: string;
let folder: string;

beforeAll(async () => {
  redis = await startRedisServer();
  const metadata = { redisHost: `127.0.0.1:${redis.port}` };
  components = await writeComponent({ type: 'lock.redis', metadata });
  folder = await createFolder();
});

afterAll(() => redis.stop());

/** Writes the time each few milliseconds, and won't end when it is asked to. */
const STUBBORN =
  'trap "echo asked" TERM; echo ready; while :; do date +%s%3N >> "$LOG"; sleep 0.01; done';

function start(resource: string, script: string, more: readonly string[]): CommandProcess {
  const options = ['--resource', resource, '--ttl', '2s', '--grace', '300ms', ...more];
  const log = path.join(folder, resource);
  return new CommandProcess(['run', ...options, '--', 'sh', '-c', script], { env: { LOG: log } });
}

async function lastSignOfLife(resource: string): Promise<number> {
  const lines = (await readFile(path.join(folder, resource), 'utf8')).trim().split('\n');
  return Number(lines.at(-1));
}

function expiryOf(resource: string, appId: string): Promise<number> {
  return redis.expiryOf(`lock||${appId}||${resource}`);
}

describe('with a sidecar', () => {
  let sidecar: SidecarProcess;
  let more: string[];

  beforeEach(async () => {
    sidecar = await SidecarProcess.start({ args: ['--resources-path', components] });
    more = ['--address', `127.0.0.1:${sidecar.grpcPort}`];
  });

  afterEach(() => sidecar.stop('SIGKILL'));

  it.each(['SIGKILL', 'SIGSTOP'] as const)(
    'is asked to end and then killed before the lease ends, where the sidecar gets %s',
    async (signal) => {
      const command = start(signal, STUBBORN, more);
      await command.untilSaid('ready');
      sidecar.child.kill(signal);
      const expiry = await expiryOf(signal, 'myapp');
      const end = await command.ended;
      expect(end.code).toBe(76);
      expect(end.stdout).toBe('ready\nasked\n');
      expect(end.stderr).toMatch(/the command is ended: SIGTERM, and SIGKILL after 0.3 s/);
      expect(await lastSignOfLife(signal)).toBeLessThan(expiry);
    },
  );

  it('goes on where the sidecar was restarted in time', async () => {
    const { httpPort, grpcPort, metricsPort } = sidecar;
    const args = ['run', '--resource', 'restart', '--ttl', '10s', ...more];
    const command = new CommandProcess([...args, '--', 'sh', '-c', 'echo ready; sleep 4; exit 4']);
    await command.untilSaid('ready');
    await sidecar.stop();
    const ports = { httpPort, grpcPort, metricsPort };
    sidecar = await SidecarProcess.start({ args: ['--resources-path', components], ports });
    expect(await command.ended).toMatchObject({ code: 4, stderr: '' });
    const held = await redis.inspect((client) => client.exists('lock||myapp||restart'));
    expect(held).toBe(0);
  });
});

describe('without a sidecar', () => {
  function startOwn(resource: string, script: string): CommandProcess {
    return start(resource, script, ['--components', components]);
  }

  it('holds the lock that a sidecar of the same app id sees', async () => {
    const command = startOwn('seen', 'echo $HOLDFAST_LOCK_OWNER; sleep 100');
    await command.untilSaid('\n');
    const owner = await redis.inspect((client) => client.get('lock||holdfast||seen'));
    expect(`${String(owner)}\n`).toBe(command.stdout);
    command.kill('SIGTERM');
    expect(await command.ended).toMatchObject({ code: 143, stderr: '' });
    expect(await redis.inspect((client) => client.exists('lock||holdfast||seen'))).toBe(0);
  });

  it('ends the command in time where Redis is killed', async () => {
    const command = startOwn('no-redis', STUBBORN);
    await command.untilSaid('ready');
    const expiry = (await expiryOf('no-redis', 'holdfast')) + 2000;
    await redis.kill();
    const end = await command.ended;
    await redis.start();
    expect(end.code).toBe(76);
    expect(end.stdout).toBe('ready\nasked\n');
    expect(await lastSignOfLife('no-redis')).toBeLessThan(expiry);
  });

  it('kills the command where its lock was deleted in Redis', async () => {
    const command = startOwn('deleted', 'echo $$; exec sleep 300');
    await command.untilSaid('\n');
    await redis.inspect((client) => client.del('lock||holdfast||deleted'));
    const end = await command.ended;
    expect(end.code).toBe(76);
    expect(isRunning(Number(end.stdout))).toBe(false);
  });

  it.each([
    ['Redis is away', 'lock.redis', 69, /can't be reached|ECONNREFUSED/],
    ['the type is unknown', 'lock.nope', 64, /couldn't find lock store lock.nope|incorrect type/],
  ])('ends at once where %s', async (_what, type, code, reason) => {
    const metadata = { redisHost: '127.0.0.1:1' };
    const spec = '  initTimeout: 300ms\n';
    const broken = await writeComponent({ type, metadata, spec });
    const end = await start('a', 'echo ran', ['--components', broken]).ended;
    expect(end).toMatchObject({ code, stdout: '' });
    expect(end.stderr).toMatch(reason);
  });

  it('ends where the folder has no such store, and names those that it has', async () => {
    const end = await start('a', 'echo ran', ['--components', components, '--store', 'x']).ended;
    expect(end).toMatchObject({ code: 64, stdout: '' });
    expect(end.stderr).toMatch(/there is no component x in .* \(there are: lockstore\)/);
  });

  it('waits no longer than it is said for a lock that another process has', async () => {
    const first = startOwn('both', 'echo ready; sleep 100');
    await first.untilSaid('ready');
    const second = await start('both', 'echo ran', ['--components', components, '--wait', '1s'])
      .ended;
    expect(second).toMatchObject({ code: 75, stdout: '' });
    expect(second.stderr).toMatch(/it is held by .*-\d+-[0-9a-f]{12}, whose lease/);
    await eventually(() => {
      expect(first.stdout).toBe('ready\n');
    });
    first.kill('SIGTERM');
    await first.ended;
  });
});
