import { spawn } from 'node:child_process';

/** How a command is run. */
export interface CommandOptions {
  /** Its end is forced after this time; a generator that hangs must not hang the benchmark. */
  readonly withinMs: number;
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs a command to its end and gives its standard output; rejects where it fails. */
export function runCommand(
  binary: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(binary, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: options.withinMs,
      killSignal: 'SIGKILL',
      env: options.env ?? process.env,
    });
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on('data', (part: Buffer) => output.push(part));
    child.stderr.on('data', (part: Buffer) => errors.push(part));
    child.once('error', (cause) => {
      reject(new Error(`can't run ${binary}`, { cause }));
    });
    child.once('close', (code, signal) => {
      if (code === 0) resolve(Buffer.concat(output).toString());
      else {
        const end = signal ?? `exit code ${String(code)}`;
        reject(new Error(`${binary} ended with ${end}: ${Buffer.concat(errors).toString()}`));
      }
    });
  });
}
