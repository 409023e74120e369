import { parseArguments } from '../../src/cli/parse-arguments';
import { toInvitation } from '../../src/invitation';

/** What a sidecar with these arguments says to whoever starts it in a terminal. */
export function invitationOf(
  args: readonly string[],
  storeName: string | null = 'lockstore',
): string {
  const versions = { daprVersion: '1', holdfastVersion: '1' };
  const invocation = parseArguments(['--app-id', 'myapp', ...args], {}, versions);
  if (invocation.kind !== 'run') throw new Error(`no arguments to run with: ${args.join(' ')}`);
  return toInvitation(invocation.options, storeName ?? undefined);
}
