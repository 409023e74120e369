import { toVisible } from '../observability/visible-text';

/**
 * A text of somebody else for people: control and format characters become visible escapes, and
 * spaces at both ends become `␣`, because a name may consist of nothing else.
 */
export function toPlain(text: string): string {
  return toVisible(text)
    .replaceAll('\n', '\\n')
    .replace(/^\p{Zs}+|\p{Zs}+$/gu, (spaces) => '␣'.repeat(spaces.length));
}

/** The beginning of a text, for a line or a label. */
export function shorten(text: string, longest: number): string {
  if (text.length <= longest) return text;
  return `${Array.from(text.slice(0, longest)).slice(0, -1).join('')}…`;
}

const UNITS = [
  { name: 'd', ms: 86_400_000 },
  { name: 'h', ms: 3_600_000 },
  { name: 'min', ms: 60_000 },
  { name: 's', ms: 1000 },
] as const;

/** A duration in its two largest units: `4 min 12 s`. Below 10 s with tenths: `3.4 s`. */
export function toDuration(ms: number): string {
  const whole = Math.max(0, ms);
  if (whole < 9950) return `${(whole / 1000).toFixed(1)} s`;
  const rounded = Math.round(whole / 1000) * 1000;
  const first = UNITS.findIndex((unit) => rounded >= unit.ms);
  const parts = UNITS.slice(first, first + 2).map((unit, index) => {
    const count = index === 0 ? rounded / unit.ms : (rounded % (UNITS[first]?.ms ?? 1)) / unit.ms;
    return { count: Math.floor(count), name: unit.name };
  });
  return parts
    .filter(({ count }, index) => index === 0 || count > 0)
    .map(({ count, name }) => `${count} ${name}`)
    .join(' ');
}

/** How long ago, in one unit: `now`, `12 s ago`, `4 min ago`. */
export function toAgo(ms: number): string {
  if (ms < 1000) return 'now';
  const unit = UNITS.find((one) => ms >= one.ms) ?? UNITS[3];
  return `${Math.floor(ms / unit.ms)} ${unit.name} ago`;
}

/** A number and what it counts: `1 lock`, `2 locks`. */
export function toCount(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

/** A fencing token. 0 stands for a grant without one. */
export function toToken(fencingToken: number): string {
  return fencingToken === 0 ? 'none' : String(fencingToken);
}
