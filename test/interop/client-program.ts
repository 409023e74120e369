import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

import type { CommandLine } from './run-command';

/** How long a program may take in all: the slowest waits 31 s for a sidecar that refuses it. */
const PROGRAM_WITHIN_MS = 90_000;

/** What a program said and how it ended. */
export interface ProgramResult {
  /** By step, what the program answered. */
  readonly answers: ReadonlyMap<string, string>;
  /** What was wrong beside the answers, undefined where nothing was. */
  readonly problem: string | undefined;
}

/**
 * Runs a client's program through one scenario. The program prints `step<TAB>answer` for each step. Where
 * it needs something done, it prints `waiting<TAB>WHAT` and goes on with the next line of its standard
 * input. Whatever else it prints, on either output, is told where it fails.
 */
export async function runProgram(
  command: CommandLine,
  options: {
    readonly scenario: readonly string[];
    readonly env: Readonly<Record<string, string>>;
    /** Does what the program waits for. */
    readonly onWaiting?: (what: string) => Promise<void>;
  },
): Promise<ProgramResult> {
  const answers = new Map<string, string>();
  const remarks: string[] = [];
  const child = spawn(command.file, [...command.args, ...options.scenario], {
    cwd: command.cwd,
    env: { ...process.env, ...command.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.on('error', () => undefined);
  let failedWaiting: unknown;
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [, step = '', answer] = /^([^\t]*)\t(.*)$/.exec(line) ?? [];
    if (answer === undefined) remarks.push(line);
    else if (step !== 'waiting') answers.set(step, answer);
    else {
      (options.onWaiting?.(answer) ?? Promise.resolve()).then(
        () => child.stdin.write('\n'),
        (error: unknown) => {
          failedWaiting = error;
          child.kill('SIGKILL');
        },
      );
    }
  });
  createInterface({ input: child.stderr }).on('line', (line) => remarks.push(line));

  const end = await new Promise<string | undefined>((resolve) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      resolve(`did not end within ${PROGRAM_WITHIN_MS / 1000} s`);
    }, PROGRAM_WITHIN_MS);
    child.once('error', (error) => {
      clearTimeout(timer);
      resolve(error.message);
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve(code === 0 ? undefined : `ended with ${String(code ?? signal)}`);
    });
  });
  const problem = failedWaiting instanceof Error ? failedWaiting.message : end;
  if (problem === undefined) return { answers, problem };
  return { answers, problem: [problem, ...remarks.slice(-8)].join('\n      ') };
}
