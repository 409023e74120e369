import { spawn } from 'node:child_process';

import { linesOf, SHOWN, takesLock, toPorts } from '../../../docs/native-api-page';
import { eventually } from '../../../support/eventually';
import { withoutDapr } from '../../../support/plain-environment';
import type { SidecarProcess } from '../../../support/sidecar-process';
import type { Steps } from '../../steps';

/** How long a line may take on a busy machine, in milliseconds. */
const WITHIN_MS = 15_000;

/** Where the lines are run. */
export interface PageSite {
  /** As the report names it. */
  readonly store: string;
  readonly sidecar: SidecarProcess;
  /** The search path for programs: one that has grpcurl. */
  readonly path: string;
}

/**
 * Runs each line of docs/native-api.md as it stands there, by the real tools. Each gets the lock as the page has it:
 * free for the calls that take it, else held.
 */
export async function runPageLines(steps: Steps, site: PageSite): Promise<void> {
  const lineOf = (call: string) => linesOf('curl').find(([of]) => of === call)![1];
  for (const tool of ['curl', 'grpcurl']) {
    for (const [call, line] of linesOf(tool)) {
      if (!takesLock(call)) await run(lineOf('Acquire'), site);
      const printed = await run(line, site);
      const answer = SHOWN[call]!.test(printed) ? 'as shown' : printed;
      steps.expect(`docs: ${call} by ${tool} on ${site.store}`, answer, 'as shown');
      await run(lineOf('Release'), site);
    }
  }
}

/** Ends a line once it has printed a whole answer, and gives that back without white space. */
async function run(line: string, { sidecar, path }: PageSite): Promise<string> {
  const env = { ...withoutDapr(process.env), PATH: path };
  const child = spawn('bash', ['-c', `exec ${toPorts(line, sidecar)}`], { env });
  const closed = new Promise((resolve) => child.once('close', resolve));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (part: Buffer) => (output += part.toString()));
  }
  const whole = eventually(
    () => {
      if (!/\}\s*$/.test(output)) throw new Error(`${line}\nprinted only: ${output}`);
    },
    { withinMs: WITHIN_MS },
  );
  const isOver = await Promise.race([whole.then(() => false), closed.then(() => true)]);
  whole.catch(() => undefined);
  if (!isOver) child.kill('SIGINT');
  await closed;
  return output.replace(/\s/g, '');
}
