import { parseArgs } from 'node:util';

import { runControl } from './control-run';

/** Without a lost update the control shows nothing; it is tried again so often. */
const TRIES = 5;

/**
 * `npm run test:fencing -- --pauses N --seed S`: what a resource loses that does not check fencing tokens while its
 * clients are paused beyond their leases, and that one which checks them loses nothing.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      pauses: { type: 'string', default: '40' },
      seed: { type: 'string', default: '1' },
    },
  });
  const [pauses, seed] = [Number(values.pauses), Number(values.seed)];
  let unchecked = await runControl({ isChecked: false, pauses, seed });
  for (let more = 1; more < TRIES && unchecked.lost === 0; more += 1) {
    unchecked = await runControl({ isChecked: false, pauses, seed: seed + more });
  }
  const checked = await runControl({ isChecked: true, pauses, seed });
  const rows = [
    { resource: 'does not check tokens', ...unchecked },
    { resource: 'checks tokens', ...checked },
  ];
  process.stdout.write(
    '\n| the resource | pauses | confirmed updates | value | lost updates | refused |\n| --- | ---: | ---: | ---: | ---: | ---: |\n',
  );
  for (const { resource, pauses: paused, updates, value, lost, refused } of rows) {
    process.stdout.write(
      `| ${resource} | ${paused} | ${updates} | ${value} | ${lost} | ${refused} |\n`,
    );
  }
  process.exitCode = unchecked.lost > 0 && checked.lost === 0 ? 0 : 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error instanceof Error ? error.stack : error)}\n`);
  process.exitCode = 1;
});
