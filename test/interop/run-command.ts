import { isNativeError } from 'node:util/types';

import { type CommandLine, type GroupLimits, ProcessGroup } from './process-group';

/** The output of a command that succeeded. */
export interface CommandOutput {
  readonly stdout: string;
}

/** How long a download or a build may take: a registry that does not answer must not hang the run. */
const COMMAND_WITHIN_MS = 480_000;

/** How much of a failed command's output its error quotes. */
const QUOTED_LINES = 12;

/** Runs a command to its end; rejects with what it printed last where it fails or takes too long. */
export async function runCommand(
  command: CommandLine,
  { withinMs = COMMAND_WITHIN_MS, signal }: Partial<GroupLimits> = {},
): Promise<CommandOutput> {
  signal?.throwIfAborted();
  const group = new ProcessGroup(command, { withinMs, signal });
  group.child.stdin.end();
  let stdout = '';
  let all = '';
  group.child.stdout.on('data', (part: Buffer) => {
    stdout += part.toString();
    all += part.toString();
  });
  group.child.stderr.on('data', (part: Buffer) => {
    all += part.toString();
  });
  const badEnd = await group.ended;
  if (badEnd === undefined) return { stdout };
  const text = [command.file, ...command.args].join(' ');
  const { reason, cause } = badEnd;
  if (cause !== undefined) throw new Error(`${text}: ${reason}`, { cause });
  throw new Error(`${text}: ${reason}; ${quote(all)}`);
}

/** True for the error of a command whose program is not there; one that is there and fails is not. */
export function isMissingProgram(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return isNativeError(cause) && 'code' in cause && cause.code === 'ENOENT';
}

function quote(output: string): string {
  const lines = output.trim().split('\n').slice(-QUOTED_LINES);
  return `it printed last:\n${lines.join('\n')}`;
}
