import { toStartupHint } from '../../src/app/startup-hint';
import { parseArguments } from '../../src/command-line/parse-arguments';

/** The hint that a sidecar with these arguments prints in a terminal. */
export function startupHintOf(
  args: readonly string[],
  storeName: string | null = 'lockstore',
): string {
  const versions = { daprVersion: '1', holdfastVersion: '1' };
  const invocation = parseArguments(['--app-id', 'myapp', ...args], {}, versions);
  if (invocation.kind !== 'run') throw new Error(`no arguments to run with: ${args.join(' ')}`);
  return toStartupHint(invocation.options, storeName ?? undefined);
}
