import { hostname } from 'node:os';

import { parseArgv, UsageError } from './argv';
import { OptionsError } from './listener-options';
import { type RunOptions, toRunOptions } from './run-options';
import { toUsage } from './usage';

/** What a command line asks for. */
export type Invocation =
  | { readonly kind: 'run'; readonly options: RunOptions }
  /** A text for standard output; exit code 0. */
  | { readonly kind: 'print'; readonly text: string }
  /** Waiting for another sidecar; exit code 0 whatever comes of it, as in daprd. */
  | { readonly kind: 'wait'; readonly httpPort: number }
  /** A text for standard error: 2 for a command line that can't be understood, 1 for bad options. */
  | { readonly kind: 'invalid'; readonly message: string; readonly exitCode: 1 | 2 };

/** The versions that `--version` and `--build-info` print. */
export interface Versions {
  readonly daprVersion: string;
  readonly holdfastVersion: string;
}

/** Works out what a command line asks for; never throws for what a user can write. */
export function parseArguments(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  versions: Versions,
): Invocation {
  try {
    return toInvocation(argv, env, versions);
  } catch (error) {
    if (error instanceof UsageError) {
      // Last, so that it is what a terminal shows.
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

/** daprd's three lines, and ours. */
function toBuildInfo({ daprVersion, holdfastVersion }: Versions): string {
  return `Version: ${daprVersion}
Git Commit: holdfast-${holdfastVersion}
Git Version: v${daprVersion}
Holdfast Version: ${holdfastVersion}
`;
}
