import { runCommand } from './run-command';

const shell = (script: string) => ({ file: 'bash', args: ['-c', script] });

describe('runCommand', () => {
  it('gives what the command printed', async () => {
    await expect(runCommand(shell('echo done'))).resolves.toEqual({ stdout: 'done\n' });
  });

  it('rejects with the exit code and the last lines of a download that fails', async () => {
    const failing = runCommand(shell('echo fetching; echo "no such version" >&2; exit 3'));
    await expect(failing).rejects.toThrow(/exit code 3; it printed last:\n[^]*no such version/);
  });

  it('does not wait for a registry that never answers', async () => {
    const hanging = runCommand(shell('echo fetching; exec sleep 30'), 300);
    await expect(hanging).rejects.toThrow(/no end within 0.3 s; it printed last:\nfetching/);
  });

  it('names a program that is not there', async () => {
    const missing = runCommand({ file: 'no-such-toolchain', args: [] });
    await expect(missing).rejects.toThrow(/no-such-toolchain.*ENOENT/);
  });
});
