import { styleText } from 'node:util';

import type { LockInfo } from '../../client/lock-calls';
import { toVisible } from '../../observability/visible-text';

/** The longest text that a cell shows, in characters; `--output json` has all of it. */
const LONGEST_CELL = 64;

/** A lease that ends sooner is shown in red, in milliseconds. */
const SOON_MS = 5000;

const HEADER = ['RESOURCE', 'OWNER', 'TOKEN', 'TIME LEFT', 'WAITERS'];

/** The columns of numbers are aligned to the right. */
const FIRST_NUMBER = 2;

/** True if a stream shows colours to a person: a terminal, unless NO_COLOR (no-color.org) says no. */
export function hasColours(
  stream: { readonly isTTY?: boolean | undefined },
  env: NodeJS.ProcessEnv,
): boolean {
  return stream.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
}

/** A table of locks for people, sorted by resource, each line ended. */
export function toTable(locks: readonly LockInfo[], isColoured: boolean): string {
  const sorted = [...locks].sort((a, b) => compare(a.resourceId, b.resourceId));
  const rows = sorted.map((lock) => toCells(lock));
  const widths = HEADER.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => widthOf(row[column] ?? ''))),
  );
  const lines = [HEADER, ...rows].map((row) => toLine(row, widths));
  if (!isColoured) return `${lines.join('\n')}\n`;
  return lines.map((line, index) => `${colour(line, sorted[index - 1])}\n`).join('');
}

/** A lock in a few lines for people. */
export function toDetails(lock: LockInfo): string {
  const [resource, owner, token, left, waiters] = toCells(lock, Infinity);
  const end = lock.expiresAtMs === 0 ? '' : ` (until ${new Date(lock.expiresAtMs).toISOString()})`;
  return `resource   ${resource}
owner      ${owner}
token      ${token}
time left  ${left}${end}
waiters    ${waiters}
`;
}

/** The time left of a lease: `12.3 s`, `4 min 5 s`, `2 h 3 min`, or `no end`. */
export function toTimeLeft(ttlMs: number | undefined): string {
  if (ttlMs === undefined) return 'no end';
  const seconds = ttlMs / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A name in one line, with at most so many characters, and nothing that controls a terminal. */
export function toCellText(text: string, longest: number): string {
  return shorten(toVisible(text.replaceAll('\n', '\\n')), longest);
}

function toCells(lock: LockInfo, longest: number = LONGEST_CELL): string[] {
  return [
    toCellText(lock.resourceId, longest),
    toCellText(lock.lockOwner, longest),
    String(lock.fencingToken),
    toTimeLeft(lock.ttlMs),
    String(lock.waiters),
  ];
}

function shorten(text: string, longest: number): string {
  const characters = Array.from(text.slice(0, longest === Infinity ? undefined : 2 * longest + 2));
  return characters.length <= longest ? text : `${characters.slice(0, longest - 1).join('')}…`;
}

function toLine(row: readonly string[], widths: readonly number[]): string {
  const cells = row.map((cell, column) => {
    const gap = ' '.repeat((widths[column] ?? 0) - widthOf(cell));
    return column < FIRST_NUMBER ? cell + gap : gap + cell;
  });
  return cells.join('  ').trimEnd();
}

function widthOf(text: string): number {
  return Array.from(text).length;
}

function colour(line: string, lock: LockInfo | undefined): string {
  if (lock === undefined) return styleText('bold', line);
  const isEnding = lock.ttlMs !== undefined && lock.ttlMs < SOON_MS;
  return isEnding ? styleText('red', line) : line;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
