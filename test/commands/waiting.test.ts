import { PassThrough } from 'node:stream';

import type { LockInfo } from '../../src/client/lock-calls';
import { connect } from '../../src/client/connect';
import type { CommandContext } from '../../src/commands/program';
import { type WaitingCall, WaitingProgress } from '../../src/commands/waiting/waiting-progress';
import { toWaitingText } from '../../src/commands/waiting/waiting-text';
import { CommandProcess } from '../support/command-process';
import { writeComponent } from '../support/component-files';
import { eventually } from '../support/eventually';
import { SidecarProcess } from '../support/sidecar-process';

const HELD: LockInfo = {
  resourceId: 'nightly',
  lockOwner: 'host-7-ab',
  fencingToken: 9,
  ttlMs: 12_300,
  expiresAtMs: 1,
  waiters: 3,
};

describe('what is said of a call that waits', () => {
  const state = { resource: 'nightly', waitedMs: 20_000, waitMs: 600_000 };
  it.each([
    [{}, 'waiting for nightly, waited 20.0 s of 10 min 0 s'],
    [{ ahead: 2 }, 'waiting for nightly, 2 before this call, waited 20.0 s of 10 min 0 s'],
    [
      { ahead: 2, holder: HELD },
      'waiting for nightly, 2 before this call, held by host-7-ab for 12.3 s more, waited 20.0 s of 10 min 0 s',
    ],
    [
      { ahead: 7, holder: { ...HELD, ttlMs: undefined } },
      'waiting for nightly, 2 before this call, held by host-7-ab, waited 20.0 s of 10 min 0 s',
    ],
    [
      { ahead: 7, holder: { ...HELD, waiters: 1 } },
      'waiting for nightly, next in turn, held by host-7-ab for 12.3 s more, waited 20.0 s of 10 min 0 s',
    ],
    [
      { ahead: 0, holder: { ...HELD, waiters: 0 } },
      'waiting for nightly, next in turn, held by host-7-ab for 12.3 s more, waited 20.0 s of 10 min 0 s',
    ],
    [
      { holder: HELD },
      'waiting for nightly, waiters: 3, held by host-7-ab for 12.3 s more, waited 20.0 s of 10 min 0 s',
    ],
    [
      { resource: 'a\n\u001b[2J', holder: { ...HELD, lockOwner: 'x'.repeat(60_000) } },
      `waiting for a\\n\\u001b[2J, waiters: 3, held by ${'x'.repeat(39)}… for 12.3 s more, waited 20.0 s of 10 min 0 s`,
    ],
  ])('%# is %s', (known, text) => {
    expect(toWaitingText({ ...state, ahead: undefined, holder: undefined, ...known })).toBe(text);
  });
});

describe('a wait in a pipe', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  function begin(call: Partial<WaitingCall> = {}) {
    const stderr = new PassThrough() as unknown as CommandContext['stderr'];
    const said: string[] = [];
    const say = (line: string) => void said.push(line);
    const { stdout } = process;
    // That of the process would be open from then on.
    const stdin = new PassThrough() as unknown as CommandContext['stdin'];
    const locks = { get: async () => Promise.resolve(HELD) };
    const all = { locks, resource: 'nightly', waitMs: 90_000, isQuiet: false, ...call };
    return { progress: new WaitingProgress(all, { env: {}, stdin, stdout, stderr, say }), said };
  }

  it('is told every 30 s, until it ends', async () => {
    const { progress, said } = begin();
    progress.queued(1);
    await jest.advanceTimersByTimeAsync(29_999);
    expect(said).toEqual([]);
    await jest.advanceTimersByTimeAsync(30_001);
    expect(said).toEqual([
      'waiting for nightly, 1 before this call, held by host-7-ab for 12.3 s more, waited 30.0 s of 1 min 30 s',
      'waiting for nightly, 1 before this call, held by host-7-ab for 12.3 s more, waited 1 min 0 s of 1 min 30 s',
    ]);
    progress.end();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(said).toHaveLength(2);
  });

  it('is told without the holder if the lock may not be looked at', async () => {
    const get = async () => Promise.reject(new Error('not permitted'));
    const { progress, said } = begin({ locks: { get } });
    await jest.advanceTimersByTimeAsync(30_000);
    progress.end();
    expect(said).toEqual(['waiting for nightly, waited 30.0 s of 1 min 30 s']);
  });

  it.each([{ isQuiet: true }, { waitMs: 0 }])('is not told with %j', async (call) => {
    const { progress, said } = begin(call);
    await jest.advanceTimersByTimeAsync(90_000);
    progress.end();
    expect(said).toEqual([]);
  });
});

describe('a wait on a terminal', () => {
  let sidecar: SidecarProcess;

  beforeAll(async () => {
    const folder = await writeComponent({ type: 'lock.in-memory' });
    sidecar = await SidecarProcess.start({ args: ['--resources-path', folder] });
  });
  afterAll(() => sidecar.stop());

  // script(1) of util-linux gives the command a terminal, which is all of its output.
  const TERMINAL = 'exec script -qec "$*" /dev/null';

  it.each([
    ['run', ['run', '--resource', 'r', '--wait', '30s', '--', 'echo', 'done'], 'next in turn, '],
    ['acquire', ['locks', 'acquire', 'a', '--wait', '30s'], 'waiters: 1, '],
  ])('of %s is one line that goes away when it ends', async (_name, args, place) => {
    const resource = args[0] === 'run' ? 'r' : 'a';
    const env = { DAPR_GRPC_PORT: String(sidecar.grpcPort), TERM: 'xterm' };
    const locks = connect({ address: `127.0.0.1:${sidecar.grpcPort}`, apiToken: '' });
    const held = await locks.hold(resource, { owner: 'somebody' });
    const command = new CommandProcess(args, { env, shell: TERMINAL });
    const line = `] waiting for ${resource}, ${place}held by somebody for `;
    await eventually(
      () => {
        expect(command.stdout).toContain(line);
      },
      { withinMs: 15_000 },
    );
    await held.release();
    const { code, stdout } = await command.ended;
    expect(code).toBe(0);
    const [, after = ''] = stdout.split('\u001b[0J');
    expect(after).toMatch(args[0] === 'run' ? /^done\r\n$/ : /^resource {3}a\r\n/);
    expect(stdout.slice(0, stdout.indexOf(after))).not.toContain('\n');
    await locks.close();
  });
});
