import { Command, CommanderError, Option } from 'commander';

import { HOLDFAST_VERSION } from '../base/version';
import { toErrorMessage, toErrorTrace } from '../base/error-message';
import { toVisible } from '../observability/visible-text';
import { addCheck } from './check-command';
import { addCompletion } from './completion';
import { EXIT, toExitCode } from './exit-codes';
import { addLocks } from './locks/locks-command';
import { someText, oneMore } from './option-values';
import { addRun } from './run/run-command';

/** The parts of the process that commands use. */
export interface CommandContext {
  readonly env: NodeJS.ProcessEnv;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly stdin: NodeJS.ReadStream;
  /** Writes a line for people to standard error, after the program's name; what could control a terminal is escaped. */
  readonly say: (line: string) => void;
}

/** A command that does its work and returns the exit code. */
export type Work = () => Promise<number>;

/** Receives the work of the command that was named. */
export type Plan = (work: Work) => void;

/**
 * Runs a command line.
 *
 * @param args without the names of Node and the program
 * @returns the exit code
 */
export async function runProgram(
  args: readonly string[],
  context: CommandContext,
): Promise<number> {
  let work: Work = () => Promise.resolve(EXIT.ok);
  const program = createProgram(context, (planned) => {
    work = planned;
  });
  try {
    program.parse([...args], { from: 'user' });
    return await work();
  } catch (error) {
    return report(error, context);
  }
}

/** The tree of all commands. */
export function createProgram(context: CommandContext, plan: Plan): Command {
  const program = new Command('holdfast')
    .description('Distributed locks. Without a command, it is the sidecar: see holdfast --help.')
    .version(HOLDFAST_VERSION)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => {
        write(toVisible(text.replace(/^error: /, 'holdfast: ')));
      },
    });
  addRun(program, context, plan);
  addLocks(program, context, plan);
  addCheck(program, context, plan);
  addCompletion(program, context, plan);
  return program;
}

/** Adds a command, which inherits the settings of the program. */
export function addCommand(
  parent: Command,
  nameAndArguments: string,
  description: string,
): Command {
  return parent.command(nameAndArguments).description(description);
}

/**
 * Adds an option that must be given. commander's own required options hide a mistyped name: it says
 * only that the option is missing.
 */
export function addRequired(command: Command, option: Option): Command {
  return command.addOption(option).hook('preAction', (_hooked, called) => {
    if (called.getOptionValue(option.attributeName()) !== undefined) return;
    called.error(`error: required option '${option.flags}' not specified`);
  });
}

/** Adds the options that say where the locks are. */
export function addPlaceOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--store <name>', 'name of the lock component')
        .default('lockstore')
        .argParser(someText),
    )
    .option(
      '--address <address>',
      'gRPC address of the sidecar (default: DAPR_GRPC_ENDPOINT, DAPR_GRPC_PORT, or port 50001)',
    )
    .option('--tls-ca <file>', 'certificate authorities to trust (PEM)')
    .option('--tls-cert <file>', 'certificate of this client (PEM)')
    .option('--tls-key <file>', 'key of the certificate (PEM)')
    .addOption(
      new Option(
        '--components <folder>',
        'component files: use their stores without a sidecar; can be repeated',
      ).argParser(oneMore),
    )
    .addOption(
      new Option('--app-id <id>', 'app id with --components: the prefix of lock keys')
        .env('APP_ID')
        .default('holdfast')
        .argParser(someText),
    );
}

/** Says what went wrong. commander has said its own errors. */
function report(error: unknown, { say }: CommandContext): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const code = toExitCode(error);
  say(code === undefined ? toErrorTrace(error) : toErrorMessage(error));
  return code ?? EXIT.defect;
}
