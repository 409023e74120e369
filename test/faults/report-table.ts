import { isExcusedStart } from './failure-rules';
import type { FaultRunReport } from './fault-run';
import type { Operation } from './history';
import { heldOf, type Hold } from './holds';
import { REDIS_FAULTS } from './redis-faults';
import { type RuleName, RULES } from './tally';

const CALLS = ['tryLock', 'unlock', 'acquire', 'renew', 'release', 'forceRelease', 'get'] as const;

const ANSWERS = [
  'acquired',
  'refused',
  'renewed',
  'unlocked',
  'not_found',
  'held_by_other',
  'seen',
  'free',
  'not-applied',
  'unknown',
] as const;

const LOSSES = ['EXPIRED', 'TAKEN_OVER', 'STORE_UNREACHABLE'] as const;

type Row = readonly [what: string, number: string | number];

/** Shows a run as a Markdown table; `more` are rows that only one kind of run has. */
export function toTable(
  report: FaultRunReport,
  more: Readonly<Record<string, number>> = {},
): string {
  const { operations, holds, faults, stalls, seconds, violations, serverEvents } = report;
  const { failedStarts, tally } = report;
  const excusedStarts = failedStarts.filter((start) => isExcusedStart(start, { faults, stalls }));
  const rows: readonly Row[] = [
    ['operations', operations.length + holds.length],
    ['seconds', seconds.toFixed(0)],
    ...toCallRows(operations),
    ...toWaitRows(operations, holds),
    ...Object.entries(more),
    ['grants and deletions seen by MONITOR', serverEvents],
    ...Object.keys(REDIS_FAULTS).map((kind): Row => [
      `fault: ${kind}`,
      faults.filter((each) => each.kind === kind).length,
    ]),
    ...toStallRows(stalls),
    ['calls beyond the short limit of their sidecar', report.givenUp],
    ['starts of sidecars that failed', failedStarts.length],
    ['of them near a stall or a fault of Redis', excusedStarts.length],
    ...toShareRows(tally),
    ['violations', violations.length],
  ];
  const lines = rows.map(([what, number]) => `| ${what} | ${number} |`);
  return `\n| what | how many |\n| --- | ---: |\n${lines.join('\n')}\n`;
}

function toCallRows(operations: readonly Operation[]): Row[] {
  const count = (holds: (each: Operation) => boolean) => operations.filter(holds).length;
  return [
    ['calls by gRPC, holds aside', count(({ over }) => over === 'grpc')],
    ['calls by HTTP, holds aside', count(({ over }) => over === 'http')],
    ["calls with daprd's own commands", count(({ by }) => by === 'daprd')],
    ...CALLS.map((call): Row => [`call: ${call}`, count(({ kind }) => kind === call)]),
    ...ANSWERS.map((name): Row => [`answered ${name}`, count(({ answer }) => answer === name)]),
  ];
}

function toWaitRows(operations: readonly Operation[], holds: readonly Hold[]): Row[] {
  const count = (holdsFor: (each: Hold) => boolean) => holds.filter(holdsFor).length;
  const told = (type: string, reason?: string) =>
    holds
      .flatMap(({ events }) => events)
      .filter((event) => event.type === type && (reason === undefined || event.reason === reason))
      .length;
  const waits = [
    ...operations.filter(({ kind, waitMs = 0 }) => kind === 'acquire' && waitMs > 0),
    ...holds.filter(({ waitMs }) => waitMs > 0),
  ];
  const served = waits.filter((wait) =>
    'events' in wait ? heldOf(wait) !== undefined : wait.answer === 'acquired',
  );
  return [
    ['waits', waits.length],
    ['waits that were served', served.length],
    ['holds', holds.length],
    ['holds that had their lock', count((hold) => heldOf(hold) !== undefined)],
    ['holds that were refused', told('refused')],
    ['renewals that holds were told of', told('renewed')],
    ['holds told that they are at risk, as a renewal failed', told('atRisk', 'RENEWAL_FAILED')],
    ['holds told that their sidecar stops', told('atRisk', 'SIDECAR_STOPPING')],
    ...LOSSES.map((reason): Row => [`holds lost: ${reason}`, told('lost', reason)]),
  ];
}

function toStallRows(stalls: FaultRunReport['stalls']): Row[] {
  const seconds = stalls.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0) / 1000;
  return [
    ['stalls of a sidecar, of Redis or of the clients that were measured', stalls.length],
    ['seconds in them', seconds.toFixed(0)],
  ];
}

/** Of what a rule judged, how much a nearby trouble excused. */
function toShareRows(tally: FaultRunReport['tally']): Row[] {
  return (Object.keys(RULES) as RuleName[]).map((rule): Row => {
    const { judged, excused } = tally.of(rule);
    return [
      `excused, ${rule}`,
      `${excused} of ${judged}${judged === 0 ? '' : percent(excused / judged)}`,
    ];
  });
}

const percent = (share: number): string => ` (${(100 * share).toFixed(1)} %)`;

/** A sentence on what a run proves. A run that excuses too much is no proof, whatever it has found. */
export function toVerdict({ tally, violations }: FaultRunReport): string {
  const found = `${violations.length} violations.`;
  const { unproven } = tally;
  if (unproven.length === 0) return `${found} No rule excused more than it may.\n`;
  const rules = unproven.map((rule) => `- ${rule}: more than ${100 * RULES[rule]} % excused`);
  return `${found} This run is no proof of\n${rules.join('\n')}\n`;
}
