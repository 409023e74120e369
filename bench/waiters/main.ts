import { runScript, type ScriptRun } from '../../test/support/long-run/script-run';
import { type Finding, toMarkdown } from './finding';
import { measureHolds } from './holds';
import { measureLockEach } from './lock-each';
import { measureOneLock } from './one-lock';
import { measureWorstScripts } from './worst-scripts';
import {
  createWaitersCommand,
  type Part,
  toWaitersOptions,
  type WaitersOptions,
  type WaitersValues,
} from './options';

const MEASURES: Readonly<
  Record<Exclude<Part, 'worst-scripts'>, (options: WaitersOptions) => Promise<Finding>>
> = {
  'one-lock': measureOneLock,
  'lock-each': measureLockEach,
  holds: measureHolds,
};

/**
 * `npm run bench:waiters`: thousands of waiting calls and of holds on one sidecar. Exit code 1 if anybody was not served
 * in order, if a script takes too much of Redis, or if something was left in Redis.
 */
async function main(values: WaitersValues, script: ScriptRun): Promise<void> {
  const options = toWaitersOptions(values);
  script.begin({ total: options.parts.length, unit: 'parts' });
  for (const [index, part] of options.parts.entries()) {
    script.advance(index, part);
    script.print(`${await measure(part, options)}\n`);
  }
}

async function measure(part: Part, options: WaitersOptions): Promise<string> {
  if (part === 'worst-scripts') return measureWorstScripts(options);
  return toMarkdown(await MEASURES[part](options));
}

void runScript(createWaitersCommand(), main);
