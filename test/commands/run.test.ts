import { connect } from '../../src/client/connect';
import type { Locks } from '../../src/client/locks';
import {
  CommandProcess,
  isRunning,
  runCommand,
  type CommandOptions,
} from '../support/command-process';
import { writeComponent } from '../support/component-files';
import { eventually } from '../support/eventually';
import { findFreePort } from '../support/free-port';
import { SidecarProcess } from '../support/sidecar-process';

/** A sidecar with a store in memory. What happens when it or Redis fails is in run-loses.test.ts. */
let sidecar: SidecarProcess;
let locks: Locks;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  const folder = await writeComponent({ type: 'lock.in-memory' });
  sidecar = await SidecarProcess.start({ args: ['--resources-path', folder] });
  locks = connect({ address: `127.0.0.1:${sidecar.grpcPort}`, apiToken: '' });
  env = { DAPR_GRPC_PORT: String(sidecar.grpcPort) };
});

afterAll(async () => {
  await locks.close();
  await sidecar.stop();
});

function toArgs(resource: string, script: string, more: readonly string[] = []): string[] {
  return ['run', '--resource', resource, ...more, '--', 'sh', '-c', script];
}

function run(resource: string, script: string, more: readonly string[] = []) {
  return runCommand(toArgs(resource, script, more), { env });
}

function start(resource: string, script: string, options: CommandOptions = {}): CommandProcess {
  return new CommandProcess(toArgs(resource, script), { env, ...options });
}

describe('what the command gets and gives', () => {
  it('is its standard input, output and error, and its exit code', async () => {
    const args = toArgs('pass', 'cat; echo wrong >&2; exit 7');
    const end = await runCommand(args, { env, input: 'through\n' });
    expect(end).toEqual({ code: 7, stdout: 'through\n', stderr: 'wrong\n' });
  });

  it('is the lock in its environment, while it is held', async () => {
    const names = ['FENCING_TOKEN', 'LOCK_OWNER', 'RESOURCE', 'STORE'].map(
      (name) => `HOLDFAST_${name}`,
    );
    const command = start('env', `echo ${names.map((name) => `$${name}`).join(' ')}; sleep 100`);
    await command.untilSaid('lockstore\n');
    const [token, owner, ...rest] = command.stdout.trim().split(' ');
    expect(await locks.get('env')).toMatchObject({ lockOwner: owner, fencingToken: Number(token) });
    expect(rest).toEqual(['env', 'lockstore']);
    command.kill('SIGTERM');
    await command.ended;
    expect(await locks.get('env')).toBeUndefined();
  });

  it.each([
    [['--', 'false'], 1],
    [['--', 'sh', '-c', 'kill -KILL $$'], 137],
    [['--', 'no-such-command'], 127],
    [['--', '/etc/passwd'], 126],
    [['--shell', '--', 'exit 5'], 5],
    [['--shell', '--', 'true', '&&', 'exit', '6'], 6],
    [['--', 'sh', '-c', 'exit 9', '--', '--store'], 9],
  ])('%j ends with %i', async (words, code) => {
    const end = await runCommand(['run', '--resource', 'codes', ...words], { env });
    expect(end.code).toBe(code);
    expect(await locks.get('codes')).toBeUndefined();
  });

  it('is no shell, unless it is asked for', async () => {
    const end = await runCommand(['run', '--resource', 'words', '--', 'echo', '$HOME;', '*'], {
      env,
    });
    expect(end.stdout).toBe('$HOME; *\n');
  });
});

describe('a lock that another has', () => {
  it('ends with 75, or the code that is asked for, names the holder, and runs nothing', async () => {
    await using lock = await locks.hold('taken', { owner: 'the-first' });
    const end = await run('taken', 'echo ran');
    expect(end).toMatchObject({ code: 75, stdout: '' });
    expect(end.stderr).toContain(
      `the lock "${lock.resourceId}" was not acquired: it is held by the-first`,
    );
    const other = await run('taken', 'echo ran', ['--conflict-exit-code', '0', '--wait', '50ms']);
    expect(other).toMatchObject({ code: 0, stdout: '' });
  });

  it('is waited for in turn', async () => {
    const lock = await locks.hold('turn');
    const command = new CommandProcess(toArgs('turn', 'echo ran', ['--wait', '1m']), { env });
    await eventually(async () => {
      expect(await locks.get('turn')).toMatchObject({ waiters: 1 });
    });
    expect(command.stdout).toBe('');
    await lock.release();
    expect(await command.ended).toMatchObject({ code: 0, stdout: 'ran\n' });
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('is waited for until %s', async (signal) => {
    await using lock = await locks.hold(`until ${signal}`);
    const args = toArgs(lock.resourceId, 'echo ran', ['--wait', '1m']);
    const command = new CommandProcess(args, { env });
    await eventually(async () => {
      expect(await locks.get(lock.resourceId)).toMatchObject({ waiters: 1 });
    });
    command.kill(signal);
    const code = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[signal];
    expect(await command.ended).toMatchObject({ code, stdout: '' });
    await eventually(async () => {
      expect(await locks.get(lock.resourceId)).toMatchObject({ waiters: 0 });
    });
  });
});

describe('signals', () => {
  const TRAPS = ['INT', 'TERM', 'HUP', 'USR1'].map((name) => `trap "echo got ${name}" ${name}`);
  const UNTIL_DONE = 'echo ready; while [ ! -e "$0.never" ]; do sleep 0.02; done';

  it.each(['INT', 'TERM', 'HUP', 'USR1'])('SIG%s is forwarded', async (name) => {
    const exit = `trap "echo got ${name}; exit 3" ${name}`;
    const command = start('signals', `${exit}; ${UNTIL_DONE}`);
    await command.untilSaid('ready');
    command.kill(`SIG${name}` as NodeJS.Signals);
    expect(await command.ended).toMatchObject({ code: 3, stdout: `ready\ngot ${name}\n` });
  });

  it('the second one kills', async () => {
    const command = start('second', `${TRAPS.join('; ')}; ${UNTIL_DONE}`);
    await command.untilSaid('ready');
    command.kill('SIGTERM');
    await command.untilSaid('got TERM');
    command.kill('SIGINT');
    expect(await command.ended).toMatchObject({ code: 137 });
    expect(await locks.get('second')).toBeUndefined();
  });
});

describe('faults of other programs that hold a lock for a command', () => {
  it('consul lock leaves children behind: what stays in the group is ended', async () => {
    const script = 'trap "" TERM; sleep 300 & echo $!; (sleep 300 & echo $!)';
    const end = await run('children', script, ['--grace', '100ms']);
    expect(end.code).toBe(0);
    const children = end.stdout.trim().split('\n').map(Number);
    expect(children).toHaveLength(2);
    expect(children.filter(isRunning)).toEqual([]);
  });

  it('consul lock leaves children behind when it is killed: a guard ends the group', async () => {
    const command = start('killed', 'sleep 300 & sleep 0.3; echo $!; echo $$; wait');
    await eventually(() => {
      expect(command.stdout.split('\n')).toHaveLength(3);
    });
    const children = command.stdout.trim().split('\n').map(Number);
    expect(children.every(isRunning)).toBe(true);
    command.kill('SIGKILL');
    await eventually(() => {
      expect(children.filter(isRunning)).toEqual([]);
    });
  });

  it('consul lock exits 0 where the command failed', async () => {
    expect(await run('failing', 'exit 42')).toMatchObject({ code: 42 });
  });

  it('etcdctl lock swallows SIGTERM', async () => {
    const command = start('term', 'echo ready; exec sleep 300');
    await command.untilSaid('ready');
    command.kill('SIGTERM');
    expect(await command.ended).toMatchObject({ code: 143 });
  });

  it('etcdctl lock ignores a revoked lease: the command is killed, and the code is 76', async () => {
    const args = toArgs('revoked', 'trap "" TERM; echo $$; sleep 300', ['--ttl', '900ms']);
    const command = new CommandProcess(args, { env });
    await command.untilSaid('\n');
    const seen = await locks.get('revoked');
    await locks.forceRelease(seen!, 'to see');
    const end = await command.ended;
    expect(end.code).toBe(76);
    expect(end.stderr).toMatch(/the lock "revoked" was lost: .*; the command is killed/);
    expect(isRunning(Number(end.stdout))).toBe(false);
  });

  it('etcdctl lock maps every failure to 1', async () => {
    const nobody = { DAPR_GRPC_PORT: String(await findFreePort()) };
    const codes = [
      run('each', 'exit 2'),
      runCommand(toArgs('each', 'true'), { env: nobody }),
      run('each', 'true', ['--store', 'nope']),
      run('', 'true'),
    ].map(async (end) => (await end).code);
    expect(await Promise.all(codes)).toEqual([2, 69, 64, 64]);
  });
});

describe('the release', () => {
  it('tells an overrun: another may have run', async () => {
    const command = start('overrun', 'echo ready; read line; exit 0', { shell: 'sleep 1 | "$@"' });
    await command.untilSaid('ready');
    const seen = await locks.get('overrun');
    await locks.forceRelease(seen!, 'to see');
    const end = await command.ended;
    expect(end.code).toBe(76);
    expect(end.stderr).toMatch(/the lock "overrun" was lost: .*, before the command ended/);
  });
});

describe('a command line that is wrong', () => {
  it.each([
    [['run', '--', 'true'], /option '--resource <id>' not specified/],
    [['run', '--resourc', 'a', '--', 'true'], /'--resourc'\n\(Did you mean --resource\?\)/],
    [['run', '--resource', 'a'], /missing required argument 'command'/],
    [['run', '--resource', 'a', '--ttl', '30', '--', 'true'], /500ms, 30s or 1h30m is allowed/],
    [['run', '--resource', 'a', '--ttl', '1ms', '--', 'true'], /10ms to 2147483647ms is allowed/],
    [
      ['run', '--resource', 'a', '--grace', '20s', '--', 'true'],
      /--grace 20s is too long for --ttl/,
    ],
    [['run', '--resource', 'a', '--wate', '1s', '--', 'true'], /Did you mean --wait/],
    [['run', '--resource', 'a', '--conflict-exit-code', '256', '--', 'true'], /from 0 to 255/],
    [
      ['run', '--resource', 'a', '--address', 'a:b', '--', 'true'],
      /"a:b" is not a host and a port/,
    ],
    [['run', '--resource', 'a', '--tls-ca', '/no', '--', 'true'], /\/no: it does not exist/],
  ])('%j ends with 64 and says why', async (args, reason) => {
    const end = await runCommand(args, { env });
    expect(end).toMatchObject({ code: 64, stdout: '' });
    expect(end.stderr).toMatch(reason);
    expect(end.stderr).toMatch(/^holdfast: /);
  });
});
