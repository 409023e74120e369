import { isMissingProgram, runCommand } from './run-command';

const shell = (script: string) => ({ file: 'bash', args: ['-c', script] });

/** The error of a command that has to fail. */
const errorOf = (run: Promise<unknown>): Promise<unknown> =>
  run.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('runCommand', () => {
  it('gives what the command printed', async () => {
    await expect(runCommand(shell('echo done'))).resolves.toEqual({ stdout: 'done\n' });
  });

  it('rejects with the exit code and the last lines of a download that fails', async () => {
    const failing = runCommand(shell('echo fetching; echo "no such version" >&2; exit 3'));
    await expect(failing).rejects.toThrow(/exit code 3; it printed last:\n[^]*no such version/);
  });

  it('does not wait for a registry that never answers', async () => {
    const hanging = runCommand(shell('echo fetching; sleep 30; echo fetched'), { withinMs: 1500 });
    await expect(hanging).rejects.toThrow(/no end within 1.5 s; it printed last:\nfetching/);
  });

  it('ends what the command has started together with it', async () => {
    const hanging = runCommand(shell('sleep 30 & echo "pid $!"; wait'), { withinMs: 1500 });
    const error = await errorOf(hanging);
    const pid = Number(/pid (\d+)/.exec(String(error))?.[1]);
    expect(pid).toBeGreaterThan(0);
    await expect(isRunning(pid)).resolves.toBe(false);
  });

  it('ends the command where the run is stopped', async () => {
    const controller = new AbortController();
    const hanging = runCommand(shell('sleep 30; true'), { signal: controller.signal });
    controller.abort(new Error('stopped by SIGTERM'));
    await expect(hanging).rejects.toThrow('stopped by SIGTERM');
  });

  it('names a program that is not there', async () => {
    const error = await errorOf(runCommand({ file: 'no-such-toolchain', args: [] }));
    expect(String(error)).toMatch(/no-such-toolchain.*ENOENT/);
    expect(isMissingProgram(error)).toBe(true);
  });

  it('does not take a program that fails for one that is not there', async () => {
    const error = await errorOf(runCommand(shell('echo "no module named venv" >&2; exit 1')));
    expect(isMissingProgram(error)).toBe(false);
  });
});

/** Looks at the process table: a process that has ended may stay there until somebody collects it. */
async function isRunning(pid: number): Promise<boolean> {
  const { stdout } = await runCommand(shell(`ps -o stat= -p ${pid} || true`));
  return stdout.trim() !== '' && !stdout.trim().startsWith('Z');
}
