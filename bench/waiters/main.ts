import { type Finding, toMarkdown } from './finding';
import { measureHolds } from './holds';
import { measureLockEach } from './lock-each';
import { measureOneLock } from './one-lock';
import { measureWorstScripts } from './worst-scripts';
import { parseWaitersOptions, type Part, type WaitersOptions } from './options';

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
async function main(): Promise<void> {
  const options = parseWaitersOptions(process.argv.slice(2));
  for (const part of options.parts) {
    if (part === 'worst-scripts') {
      process.stdout.write(`${await measureWorstScripts(options)}\n`);
      continue;
    }
    const finding = await MEASURES[part](options);
    process.stdout.write(`${toMarkdown(finding)}\n`);
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
