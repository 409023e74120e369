import { runProgram } from './client-program';

const run = (script: string, more: object = {}) =>
  runProgram({ file: 'bash', args: ['-c', script] }, { scenario: [], env: {}, ...more });

describe('runProgram', () => {
  it('takes each line with a tab for an answer, and the rest for remarks', async () => {
    const result = await run(String.raw`printf 'one\ttrue\nnot an answer\ntwo\tfalse\n'; exit 4`);
    expect([...result.answers]).toEqual([
      ['one', 'true'],
      ['two', 'false'],
    ]);
    expect(result.problem).toMatch(/exit code 4\s+not an answer/);
  });

  it('does what the program waits for, and tells it', async () => {
    const done: string[] = [];
    const result = await run(String.raw`printf 'waiting\tstop\n'; read -r; printf 'on\tyes\n'`, {
      onWaiting: (what: string) => Promise.resolve(void done.push(what)),
    });
    expect(done).toEqual(['stop']);
    expect(result).toMatchObject({ answers: new Map([['on', 'yes']]), problem: undefined });
  });

  it('gives the program no address and no token but those of its scenario', async () => {
    process.env.DAPR_HTTP_ENDPOINT = 'http://127.0.0.1:3500';
    process.env.DAPR_API_TOKEN = 'theirs';
    const { answers } = await run(String.raw`printf 'env\t%s\n' "$(env | grep ^DAPR_ | xargs)"`, {
      env: { DAPR_HTTP_PORT: '1234' },
    });
    delete process.env.DAPR_HTTP_ENDPOINT;
    delete process.env.DAPR_API_TOKEN;
    expect(answers.get('env')).toBe('DAPR_HTTP_PORT=1234');
  });

  it('does not wait for one that hangs in something that it started', async () => {
    const { problem } = await run('sleep 30; true', { withinMs: 300 });
    expect(problem).toBe('no end within 0.3 s');
  });

  it('ends the program where the run is stopped, and starts no other', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const running = run('sleep 30; true', { signal });
    controller.abort(new Error('stopped by SIGTERM'));
    await expect(running).resolves.toMatchObject({ problem: 'stopped by SIGTERM' });
    await expect(run('true', { signal })).rejects.toThrow('stopped by SIGTERM');
  });
});
