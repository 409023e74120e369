import { Option } from 'commander';

import { chooseGrpcServer, grpcServerOption } from '../support/grpc-server-choice';
import {
  countOption,
  createScript,
  ScriptUsageError,
  type ScriptValues,
} from '../support/long-run/script-command';
import { runScript, type ScriptRun } from '../support/long-run/script-run';
import type { Attack, AttackSize } from './attack';
import { ATTACKS } from './attacks';
import { type AttackReport, runAttack } from './hostile-run';
import { toNotes, toTable } from './report';
import { startTarget } from './target';

interface HostileValues extends ScriptValues {
  readonly grpcServer?: string;
  readonly size: AttackSize;
  readonly only?: string;
  readonly repeat: number;
  readonly tries: number;
}

const command = createScript({
  name: 'test:hostile',
  description:
    'What hostile and broken neighbours can do to a sidecar and to those who call it beside them.',
  example: '--size small --only http-json,slow-headers',
})
  .addOption(grpcServerOption())
  .addOption(
    new Option('--size <size>', 'how much is sent').choices(['small', 'full']).default('full'),
  )
  .option('--only <name,name>', 'only attacks of these names')
  .addOption(countOption('--repeat <number>', 'how often each is made').default(1))
  .addOption(
    countOption(
      '--tries <number>',
      'for machines with other work: how many may fail before it counts',
    ).default(1),
  );

/** Exit code 1 where a bound is broken: in each of its tries, where there are several. */
async function main(values: HostileValues, script: ScriptRun): Promise<void> {
  chooseGrpcServer(values.grpcServer);
  const { size, only, tries: mostTries } = values;
  const signal = abortOnSignals();
  const reports: AttackReport[] = [];
  const attacks = repeat(select(only, size), values.repeat);
  script.begin({ total: attacks.length, unit: 'attacks' });
  for (const attack of attacks) {
    script.advance(reports.length, attack.name);
    const run = { size, startTarget, signal };
    let report = await makeAttack(attack, run, script);
    for (let tries = 1; report.broken.length > 0 && tries < mostTries; tries += 1) {
      report = await makeAttack(attack, run, script);
    }
    reports.push(report);
  }
  script.print(`\n${toTable(reports)}${toNotes(reports)}`);
  const broken = reports.filter((report) => report.broken.length > 0);
  script.print(`\n${reports.length - broken.length} of ${reports.length} attacks held\n`);
  process.exitCode = broken.length === 0 ? 0 : 1;
}

/** One attack, told as it goes. */
async function makeAttack(
  attack: Attack,
  run: Parameters<typeof runAttack>[1],
  script: ScriptRun,
): Promise<AttackReport> {
  script.say(`${attack.name}: ${attack.description}`);
  const startedAt = performance.now();
  const report = await runAttack(attack, run);
  script.say(`  ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  if (report.broken.length > 0) script.say(`  BROKEN ${report.broken.join('; ')}`);
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

/** The attacks of these names, or all of a size; throws for a name that none has. */
function select(only: string | undefined, size: AttackSize): readonly Attack[] {
  if (only === undefined) {
    return ATTACKS.filter(({ onlyAtFullSize }) => size === 'full' || onlyAtFullSize !== true);
  }
  return only.split(',').map((name) => {
    const found = ATTACKS.find((attack) => attack.name === name);
    if (found !== undefined) return found;
    throw new ScriptUsageError(
      `--only ${name}: there are ${ATTACKS.map((attack) => attack.name).join(', ')}`,
    );
  });
}

function repeat<T>(items: readonly T[], times: number): T[] {
  return items.flatMap((item) => Array.from({ length: times }, () => item));
}

void runScript(command, main);
