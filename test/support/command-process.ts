import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { eventually } from './eventually';
import { withoutDapr } from './plain-environment';
import { coverageEnvironment } from './sidecar-process';

/** The `holdfast` to start. A measured run needs single files: see scripts/coverage.js. */
const MAIN = path.join(
  __dirname,
  process.env.HOLDFAST_COVERAGE_DIR === undefined ? '../../dist/main.js' : 'plain-command.js',
);

/** How a command is started. */
export interface CommandOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  /** A line of a shell that starts it: `"$@"` is the command. */
  readonly shell?: string;
}

/** How a command has ended. */
export interface CommandEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A `holdfast` command in a process of its own. */
export class CommandProcess {
  readonly child: ChildProcess;
  /** Resolves when it has ended and all of its output was read. */
  readonly ended: Promise<CommandEnd>;
  stdout = '';
  stderr = '';

  constructor(args: readonly string[], options: CommandOptions = {}) {
    const command = [process.execPath, MAIN, ...args];
    const [file = '', ...rest] =
      options.shell === undefined ? command : ['sh', '-c', options.shell, 'sh', ...command];
    const env = { ...withoutDapr(process.env), ...coverageEnvironment(), ...options.env };
    this.child = spawn(file, rest, { env });
    this.child.stdin?.end(options.input ?? '');
    this.child.stdout?.on('data', (part: Buffer) => (this.stdout += part.toString()));
    this.child.stderr?.on('data', (part: Buffer) => (this.stderr += part.toString()));
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code) => {
        resolve({ code, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  /** Waits until it has written a text to standard output. */
  untilSaid(text: string): Promise<void> {
    return eventually(
      () => {
        expect(this.stdout + this.stderr).toContain(text);
      },
      { withinMs: 10_000 },
    );
  }

  /** Sends a signal to the command's own process. */
  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }
}

/** Runs a command to its end. */
export function runCommand(
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandEnd> {
  return new CommandProcess(args, options).ended;
}

/** True while a process runs. One that has ended and waits for its parent to look (a zombie) does not. */
export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !/\) [ZX] /.test(stat);
  } catch {
    return false;
  }
}
