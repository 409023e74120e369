import { spawn } from 'node:child_process';

/** A program to run and its arguments. */
export interface CommandLine {
  readonly file: string;
  readonly args: readonly string[];
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** What a command that went well has printed. */
export interface CommandOutput {
  readonly stdout: string;
}

/** How long a download or a build may take: a registry that does not answer must not hang the run. */
const COMMAND_WITHIN_MS = 480_000;

/** How much of a failed command's output its error quotes. */
const QUOTED_LINES = 12;

/**
 * Runs a command to its end; rejects with what it printed last where it fails or takes too long.
 *
 * @param withinMs how long it may take, in milliseconds
 */
export function runCommand(
  command: CommandLine,
  withinMs = COMMAND_WITHIN_MS,
): Promise<CommandOutput> {
  const text = [command.file, ...command.args].join(' ');
  return new Promise((resolve, reject) => {
    const child = spawn(command.file, command.args, {
      cwd: command.cwd,
      env: { ...process.env, ...command.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let all = '';
    child.stdout.on('data', (part: Buffer) => {
      stdout += part.toString();
      all += part.toString();
    });
    child.stderr.on('data', (part: Buffer) => {
      all += part.toString();
    });
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${text}: no end within ${withinMs / 1000} s; ${quote(all)}`));
    }, withinMs);
    child.once('error', (cause) => {
      clearTimeout(timer);
      reject(new Error(`${text}: ${cause.message}`, { cause }));
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      if (code === 0) resolve({ stdout });
      else reject(new Error(`${text}: exit code ${String(code)}; ${quote(all)}`));
    });
  });
}

function quote(output: string): string {
  const lines = output.trim().split('\n').slice(-QUOTED_LINES);
  return `it printed last:\n${lines.join('\n')}`;
}
