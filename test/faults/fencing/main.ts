import {
  countOption,
  createScript,
  type ScriptValues,
} from '../../support/long-run/script-command';
import { runScript, type ScriptRun } from '../../support/long-run/script-run';
import { runControl } from './control-run';

/** Without a lost update the control shows nothing; it is tried again so often. */
const TRIES = 5;

interface FencingValues extends ScriptValues {
  readonly pauses: number;
  readonly seed: number;
}

const command = createScript({
  name: 'test:fencing',
  description:
    'Counts what a resource loses that does not check fencing tokens while its clients are paused beyond their leases, and what one loses that checks them: nothing.',
  example: '--pauses 100 --seed 3',
})
  .addOption(countOption('--pauses <number>', 'how often a client is paused').default(40))
  .addOption(countOption('--seed <number>', 'repeats a schedule', 0).default(1));

/** Exit code 1 where checked updates were lost, or no unchecked one was. */
async function main({ pauses, seed }: FencingValues, run: ScriptRun): Promise<void> {
  run.begin({ total: TRIES + 1, unit: 'runs' });
  let unchecked = await runControl({ isChecked: false, pauses, seed });
  for (let more = 1; more < TRIES && unchecked.lost === 0; more += 1) {
    run.advance(more, 'nothing was lost yet without checks');
    unchecked = await runControl({ isChecked: false, pauses, seed: seed + more });
  }
  run.advance(TRIES, 'with checks');
  const checked = await runControl({ isChecked: true, pauses, seed });
  const rows = [
    { resource: 'does not check tokens', ...unchecked },
    { resource: 'checks tokens', ...checked },
  ];
  run.print(
    '\n| the resource | pauses | confirmed updates | value | lost updates | refused |\n| --- | ---: | ---: | ---: | ---: | ---: |\n',
  );
  for (const { resource, pauses: paused, updates, value, lost, refused } of rows) {
    run.print(`| ${resource} | ${paused} | ${updates} | ${value} | ${lost} | ${refused} |\n`);
  }
  process.exitCode = unchecked.lost > 0 && checked.lost === 0 ? 0 : 1;
}

void runScript(command, main);
