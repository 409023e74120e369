import { toVisible } from '../observability/visible-text';
import { runProgram } from './program';

/**
 * The entry point of all commands but the sidecar: command line in, exit code out. The launcher loads it if the first
 * word names a command, and starts it.
 */
export function main(args: readonly string[]): void {
  const context = {
    env: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    say: (line: string) => {
      process.stderr.write(toVisible(`holdfast: ${line}\n`));
    },
  };
  void runProgram(args, context).then((exitCode) => {
    process.exitCode = exitCode;
  });
}

export { runProgram };
