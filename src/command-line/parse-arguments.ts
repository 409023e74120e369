import { hostname } from 'node:os';

import { parseArgv, UsageError } from './argv';
import { OptionsError } from './options-error';
import { type RunOptions, toRunOptions } from './run-options';
import { toUsage } from './usage';

/** The task of the process for a command line. */
export type Invocation =
  | { readonly kind: 'run'; readonly options: RunOptions }
  /** Print a text to standard output; exit code 0. */
  | { readonly kind: 'print'; readonly text: string }
  /** Wait for another sidecar; exit code 0 whatever the result, as in daprd. */
  | { readonly kind: 'wait'; readonly httpPort: number }
  /**
   * Print a text to standard error. Exit code 2 for an invalid command line, 1 for invalid options.
   */
  | { readonly kind: 'invalid'; readonly message: string; readonly exitCode: 1 | 2 };

/** The versions that `--version` and `--build-info` print. */
export interface Versions {
  readonly daprVersion: string;
  readonly holdfastVersion: string;
}

/** Parses a command line. Never throws for user input; errors are invocations of kind `invalid`. */
export function parseArguments(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  versions: Versions,
): Invocation {
  try {
    return toInvocation(argv, env, versions);
  } catch (error) {
    if (error instanceof UsageError) {
      // Last, so that a terminal still shows it.
      const message = `${toUsage()}\n${error.message}\n`;
      return { kind: 'invalid', message, exitCode: 2 };
    }
    if (error instanceof OptionsError) {
      return { kind: 'invalid', message: `${error.message}\n`, exitCode: 1 };
    }
    throw error;
  }
}

function toInvocation(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  versions: Versions,
): Invocation {
  const flags = parseArgv(argv);
  if (flags.boolean('help')) return { kind: 'print', text: toUsage() };
  if (flags.boolean('version')) return { kind: 'print', text: `${versions.daprVersion}\n` };
  if (flags.boolean('build-info')) return { kind: 'print', text: toBuildInfo(versions) };
  if (flags.boolean('wait')) return { kind: 'wait', httpPort: flags.integer('dapr-http-port') };
  const place = [process.cwd(), String(process.getuid?.()), hostname()];
  return { kind: 'run', options: toRunOptions(flags, { env, place }) };
}

/** daprd's three lines of --build-info, and Holdfast's version. */
function toBuildInfo({ daprVersion, holdfastVersion }: Versions): string {
  return `Version: ${daprVersion}
Git Commit: holdfast-${holdfastVersion}
Git Version: v${daprVersion}
Holdfast Version: ${holdfastVersion}
`;
}
