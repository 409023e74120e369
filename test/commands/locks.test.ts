import { connect } from '../../src/client/connect';
import type { Locks } from '../../src/client/locks';
import { hasColours, toTable, toTimeLeft } from '../../src/commands/locks/table';
import { toChanges } from '../../src/commands/locks/watch';
import { CommandProcess, runCommand } from '../support/command-process';
import { writeComponent } from '../support/component-files';
import { findFreePort } from '../support/free-port';
import { SidecarProcess } from '../support/sidecar-process';

let sidecar: SidecarProcess;
let locks: Locks;

beforeAll(async () => {
  const folder = await writeComponent({ type: 'lock.in-memory' });
  const env = { DAPR_API_TOKEN: 'secret' };
  sidecar = await SidecarProcess.start({ args: ['--resources-path', folder], env });
  locks = connect({ address: `127.0.0.1:${sidecar.grpcPort}`, apiToken: 'secret' });
});

afterAll(async () => {
  await locks.close();
  await sidecar.stop();
});

function run(...args: readonly string[]) {
  const env = { DAPR_GRPC_PORT: String(sidecar.grpcPort), DAPR_API_TOKEN: 'secret' };
  return runCommand(['locks', ...args], { env });
}

async function runJson(...args: readonly string[]): Promise<{ code: number | null; out: unknown }> {
  const { code, stdout } = await run(...args, '--output', 'json');
  return { code, out: JSON.parse(stdout) as unknown };
}

describe('list and show', () => {
  it('show who holds what, for people and for programs', async () => {
    await using lock = await locks.hold('seen-1', { ttlMs: 60_000, owner: 'web-7f-1' });
    await using other = await locks.hold('seen-2', { ttlMs: 60_000, owner: 'a' });
    const { stdout } = await run('list', '--prefix', 'seen-');
    const [header, first, second] = stdout.split('\n');
    expect(header).toMatch(/^RESOURCE +OWNER +TOKEN +TIME LEFT +WAITERS$/);
    expect(first).toMatch(new RegExp(`^seen-1 +web-7f-1 +${lock.token} +[\\d.]+ s +0$`));
    expect(second).toMatch(new RegExp(`^seen-2 +a +${other.token} `));
    const details = await run('show', 'seen-1');
    expect(details).toMatchObject({ code: 0, stderr: '' });
    expect(details.stdout).toMatch(
      /^resource {3}seen-1\nowner {6}web-7f-1\ntoken {6}\d+\ntime left/,
    );
    const { out } = await runJson('list', '--prefix', 'seen-1');
    const view = {
      resourceId: 'seen-1',
      lockOwner: 'web-7f-1',
      fencingToken: lock.token,
      waiters: 0,
    };
    expect(out).toMatchObject([view]);
    expect(await runJson('show', 'seen-1')).toMatchObject({ code: 0, out: view });
  });

  it('say that a lock is free', async () => {
    expect(await run('show', 'free')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'holdfast: nobody holds "free"\n',
    });
    expect(await runJson('show', 'free')).toEqual({ code: 1, out: null });
    expect(await runJson('list', '--prefix', 'free')).toEqual({ code: 0, out: [] });
  });

  it('say where no lock is held, instead of an empty table', async () => {
    expect(await run('list', '--prefix', 'free')).toEqual({
      code: 0,
      stdout: '',
      stderr: 'holdfast: no lock that begins with "free" is held in lockstore\n',
    });
  });
});

describe('acquire, renew and release', () => {
  it('are a lease', async () => {
    const acquired = await runJson('acquire', 'lease', '--ttl', '1m', '--owner', 'me');
    expect(acquired).toMatchObject({ code: 0, out: { resourceId: 'lease', lockOwner: 'me' } });
    const { fencingToken } = acquired.out as { fencingToken: number };
    const refused = await run('acquire', 'lease');
    expect(refused).toMatchObject({ code: 75, stdout: '' });
    expect(refused.stderr).toMatch(/it is held by me, whose lease lasts for another 5\d/);
    const renewed = await runJson(
      'renew',
      'lease',
      '--owner',
      'me',
      '--token',
      String(fencingToken),
    );
    expect(renewed).toMatchObject({ code: 0, out: { fencingToken } });
    const released = await run('release', 'lease', '--owner', 'you');
    expect(released).toMatchObject({
      code: 76,
      stderr: 'holdfast: the lock "lease" was lost: another has it\n',
    });
    expect(await run('release', 'lease', '--owner', 'me')).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    expect(await runJson('release', 'lease', '--owner', 'me')).toEqual({
      code: 76,
      out: { status: 'NOT_FOUND' },
    });
    expect((await run('renew', 'lease', '--owner', 'me')).code).toBe(76);
  });
});

describe('force-release', () => {
  it('frees the grant that is named, and tells what it freed', async () => {
    const { token } = await locks.acquire('stuck', { ttlMs: 60_000, owner: 'gone-1' });
    const force = ['force-release', 'stuck', '--reason', 'the pod was deleted', '--yes', '--token'];
    const other = await run(...force, String(token + 1));
    expect(other).toMatchObject({ code: 76 });
    expect(other.stderr).toContain(`another grant has it by now: gone-1, token ${token}`);
    expect(await locks.get('stuck')).toBeDefined();
    const freed = await run(...force, String(token));
    expect(freed).toMatchObject({ code: 0, stdout: '' });
    expect(freed.stderr).toMatch(
      new RegExp(
        `released "stuck": it was held by gone-1 \\(token ${token}, time left [\\d.]+ s, waiters 0\\)`,
      ),
    );
    expect(await locks.get('stuck')).toBeUndefined();
    expect(await runJson(...force, String(token))).toEqual({
      code: 1,
      out: { status: 'NOT_FOUND', lock: null },
    });
  });

  it.each([
    [['--reason', 'a'], /there is no terminal to ask on: --yes and --token are needed/],
    [['--reason', 'a', '--yes'], /--yes needs --token/],
    [['--yes', '--token', '1'], /option '--reason <text>' not specified/],
  ])('does nothing with %j', async (options, message) => {
    await using lock = await locks.hold('kept');
    const end = await run('force-release', 'kept', ...options);
    expect(end.code).toBe(64);
    expect(end.stderr).toMatch(message);
    expect((await locks.get('kept'))?.fencingToken).toBe(lock.token);
  });

  // util-linux's script(1) gives it a terminal.
  it.each([
    ['y', 0, /Release this lock\? \[y\/N\].*released "asked": it was held by the-holder/s],
    ['', 1, /nothing was released/],
  ])('asks on a terminal, with the holder: answer "%s"', async (answer, code, output) => {
    const { token } = await locks.acquire('asked', { ttlMs: 60_000, owner: 'the-holder' });
    const env = { DAPR_GRPC_PORT: String(sidecar.grpcPort), DAPR_API_TOKEN: 'secret' };
    const asking = new CommandProcess(['locks', 'force-release', 'asked', '--reason', 'r'], {
      env,
      shell: `(sleep 1; echo "${answer}") | script -qec "$*" /dev/null`,
    });
    const end = await asking.ended;
    expect(end.stdout).toMatch(/owner {6}the-holder/);
    expect(end.stdout).toMatch(output);
    expect(end.code).toBe(code);
    await locks.release('asked', { owner: 'the-holder', token });
  });
});

describe('watch', () => {
  it('tells what changes until it is asked to end', async () => {
    const env = { DAPR_GRPC_PORT: String(sidecar.grpcPort), DAPR_API_TOKEN: 'secret' };
    const args = ['watch', '--prefix', 'watched', '--interval', '100ms', '--output', 'json'];
    const watching = new CommandProcess(['locks', ...args], { env });
    const { token } = await locks.acquire('watched', { ttlMs: 60_000, owner: 'me' });
    await watching.untilSaid('"type":"held"');
    await locks.release('watched', { owner: 'me', token });
    await watching.untilSaid('"type":"freed"');
    watching.kill('SIGTERM');
    const { code, stdout } = await watching.ended;
    expect(code).toBe(0);
    const changes = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    expect(changes).toMatchObject([
      { type: 'held', lock: { lockOwner: 'me' } },
      { type: 'freed', lock: { lockOwner: 'me' } },
    ]);
  });

  it('tells a lock that another grant has by now as held, once', () => {
    const lock = { ...LOCK, fencingToken: 1 };
    const next = { ...LOCK, fencingToken: 2 };
    expect(toChanges([lock], [next])).toEqual([{ type: 'held', lock: next }]);
    expect(toChanges([next], [{ ...next, ttlMs: 1 }])).toEqual([]);
  });
});

describe('exit codes', () => {
  it.each([
    ['a wrong token', { DAPR_API_TOKEN: 'x' }, ['list'], 77],
    ['nobody there', { DAPR_GRPC_PORT: undefined }, ['list'], 69],
    ['an unknown store', {}, ['list', '--store', 'x'], 64],
    ['an unknown command', {}, ['lst'], 64],
    ['an unknown option', {}, ['list', '--prefx', 'a'], 64],
  ])('%s: %j %j ends with %i', async (_what, more, args, code) => {
    const port = 'DAPR_GRPC_PORT' in more ? await findFreePort() : sidecar.grpcPort;
    const env = { DAPR_API_TOKEN: 'secret', ...more, DAPR_GRPC_PORT: String(port) };
    const end = await runCommand(['locks', ...args], { env });
    expect(end).toMatchObject({ code, stdout: '' });
    expect(end.stderr).toMatch(/^holdfast: /);
  });
});

const LOCK = {
  resourceId: 'r',
  lockOwner: 'o',
  fencingToken: 7,
  ttlMs: 1000,
  expiresAtMs: 1,
  waiters: 0,
};

describe('the table', () => {
  it('has no colours but on a terminal, and not with NO_COLOR', () => {
    expect(hasColours({ isTTY: true }, {})).toBe(true);
    expect(hasColours({ isTTY: true }, { NO_COLOR: '' })).toBe(true);
    expect(hasColours({ isTTY: true }, { NO_COLOR: '1' })).toBe(false);
    expect(hasColours({ isTTY: true }, { TERM: 'dumb' })).toBe(false);
    expect(hasColours({}, {})).toBe(false);
  });

  it('is sorted, aligned and short, and can not control a terminal', () => {
    const hostile = {
      ...LOCK,
      resourceId: '\u001b[31mred\nnext\u202e',
      lockOwner: 'x'.repeat(60_000),
    };
    const lines = toTable([hostile, { ...LOCK, resourceId: 'a' }], false).split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[1]).toMatch(/^\\u001b\[31mred\\nnext\\u202e {2}x{63}… +7 +1\.0 s +0$/);
    expect(lines[2]).toMatch(/^a +o +7 +1\.0 s +0$/);
    expect(new Set(lines.slice(0, 3).map((line) => line.length)).size).toBe(1);
  });

  it.each([
    [undefined, 'no end'],
    [0, '0.0 s'],
    [12_340, '12.3 s'],
    [245_000, '4 min 5 s'],
    [7_380_000, '2 h 3 min'],
  ])('shows %s ms as %s', (ttlMs, text) => {
    expect(toTimeLeft(ttlMs)).toBe(text);
  });
});
