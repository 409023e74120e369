import { createInterface } from 'node:readline';

import { type CommandLine, type GroupLimits, ProcessGroup } from './process-group';

/** How long a program may take in all: the slowest waits 31 s for a sidecar that refuses it. */
const PROGRAM_WITHIN_MS = 90_000;

/** The output of a program, and how it ended. */
export interface ProgramResult {
  /** By step, what the program answered. */
  readonly answers: ReadonlyMap<string, string>;
  /** By step, when the answer was read, in milliseconds of a clock that only goes forward. */
  readonly answeredAtMs: ReadonlyMap<string, number>;
  /** A fault beside the answers. Undefined if there was none. */
  readonly problem: string | undefined;
}

/** One scenario of a program. */
export interface ProgramRun extends Partial<GroupLimits> {
  readonly scenario: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Does what the program waits for. */
  readonly onWaiting?: (what: string) => Promise<void>;
}

/**
 * Runs a client's program through one scenario. The program prints `step<TAB>answer` for each step. Where
 * it needs something done, it prints `waiting<TAB>WHAT` and goes on with the next line of its standard
 * input. Whatever else it prints, on either output, is told where it fails. Rejects only where the run
 * was stopped before the program began.
 */
export async function runProgram(command: CommandLine, run: ProgramRun): Promise<ProgramResult> {
  run.signal?.throwIfAborted();
  const answers = new Map<string, string>();
  const answeredAtMs = new Map<string, number>();
  const remarks: string[] = [];
  const group = new ProcessGroup(
    {
      ...command,
      args: [...command.args, ...run.scenario],
      env: { ...command.env, ...run.env },
    },
    { withinMs: run.withinMs ?? PROGRAM_WITHIN_MS, signal: run.signal },
  );
  const { child } = group;
  const goOn = (what: string): void => {
    (run.onWaiting?.(what) ?? Promise.resolve()).then(
      () => child.stdin.write('\n'),
      (error: unknown) => {
        group.kill(error instanceof Error ? error.message : String(error));
      },
    );
  };
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [, step = '', answer] = /^([^\t]*)\t(.*)$/.exec(line) ?? [];
    if (answer === undefined) remarks.push(line);
    else if (step === 'waiting') goOn(answer);
    else {
      answers.set(step, answer);
      answeredAtMs.set(step, performance.now());
    }
  });
  createInterface({ input: child.stderr }).on('line', (line) => remarks.push(line));
  const badEnd = await group.ended;
  const problem =
    badEnd === undefined ? undefined : [badEnd.reason, ...remarks.slice(-8)].join('\n      ');
  return { answers, answeredAtMs, problem };
}
