import type { FaultRunReport } from './fault-run';
import type { Operation } from './history';
import { heldOf, type Hold } from './holds';
import { FAULTS } from './injector';

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
  const rows: readonly Row[] = [
    ['operations', operations.length + holds.length],
    ['seconds', seconds.toFixed(0)],
    ...toCallRows(operations),
    ...toWaitRows(operations, holds),
    ...Object.entries(more),
    ['grants and deletions seen by MONITOR', serverEvents],
    ...Object.keys(FAULTS).map((kind): Row => [
      `fault: ${kind}`,
      faults.filter((each) => each.kind === kind).length,
    ]),
    ['times the machine stood still for 0.5 s', stalls],
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
