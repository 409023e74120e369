import { parseArgs } from 'node:util';

import type { Attack, AttackSize } from './attack';
import { ATTACKS } from './attacks';
import { type AttackReport, runAttack } from './hostile-run';
import { toNotes, toTable } from './report';
import { startTarget } from './target';

/**
 * `npm run test:hostile -- --size small|full --only NAME,NAME --repeat N --tries N`: what hostile and broken
 * neighbours can do to a sidecar and to those who call it beside them. Exit code 1 where a bound is broken:
 * in each of its tries, where there are several. Those are for machines on which other work may run.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      size: { type: 'string', default: 'full' },
      only: { type: 'string' },
      repeat: { type: 'string', default: '1' },
      tries: { type: 'string', default: '1' },
    },
  });
  const size = toSize(values.size);
  const signal = abortOnSignals();
  const reports: AttackReport[] = [];
  for (const attack of repeat(select(values.only, size), Number(values.repeat))) {
    const run = { size, startTarget, signal };
    let report = await makeAttack(attack, run);
    for (let tries = 1; report.broken.length > 0 && tries < Number(values.tries); tries += 1) {
      report = await makeAttack(attack, run);
    }
    reports.push(report);
  }
  process.stdout.write(`\n${toTable(reports)}${toNotes(reports)}`);
  const broken = reports.filter((report) => report.broken.length > 0);
  process.stdout.write(`\n${reports.length - broken.length} of ${reports.length} attacks held\n`);
  process.exitCode = broken.length === 0 ? 0 : 1;
}

/** One attack, told as it goes. */
async function makeAttack(
  attack: Attack,
  run: Parameters<typeof runAttack>[1],
): Promise<AttackReport> {
  process.stderr.write(`${attack.name}: ${attack.description}\n`);
  const startedAt = performance.now();
  const report = await runAttack(attack, run);
  process.stderr.write(`  ${((performance.now() - startedAt) / 1000).toFixed(1)} s\n`);
  if (report.broken.length > 0) process.stderr.write(`  BROKEN ${report.broken.join('; ')}\n`);
  return report;
}

/** Sidecar and Redis must not outlive the run. A second signal ends the process at once, as ever. */
function abortOnSignals(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => {
      controller.abort(new Error(`stopped by ${name}`));
    });
  }
  return controller.signal;
}

function toSize(text: string): AttackSize {
  if (text !== 'small' && text !== 'full') {
    throw new Error(`--size ${text}: allowed are small and full`);
  }
  return text;
}

/** The attacks of these names, or all of a size; throws for a name that none has. */
function select(only: string | undefined, size: AttackSize): readonly Attack[] {
  if (only === undefined) {
    return ATTACKS.filter(({ onlyAtFullSize }) => size === 'full' || onlyAtFullSize !== true);
  }
  return only.split(',').map((name) => {
    const found = ATTACKS.find((attack) => attack.name === name);
    if (found !== undefined) return found;
    throw new Error(`--only ${name}: there are ${ATTACKS.map((attack) => attack.name).join(', ')}`);
  });
}

function repeat<T>(items: readonly T[], times: number): T[] {
  return items.flatMap((item) => Array.from({ length: times }, () => item));
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
