import { toGoJson } from './go-json';

/**
 * The text of a component's metadata value as daprd has it (YAML to JSON to text): booleans and
 * numbers in JSON's form, null as nothing, lists and maps as compact JSON.
 */
export function toText(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === null || value === undefined ? '' : toJsonText(value);
}

/**
 * The text of a scalar where a manifest has a text (sigs.k8s.io/yaml over a string field): unlike
 * {@link toText} a float has no more digits than a single-precision one needs.
 */
export function toFieldText(value: unknown): string {
  return typeof value === 'number' ? toSingleText(value) : toText(value);
}

/** True where a value holds a number that JSON can't write: `.inf`, `.nan`. */
export function hasNonFinite(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some(hasNonFinite);
}

/** Go writes maps in order of their keys' bytes. */
function toJsonText(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (Object.is(value, -0)) return '-0';
  if (Array.isArray(value)) return `[${value.map(toJsonText).join(',')}]`;
  if (typeof value !== 'object' || value === null) return toGoJson(value);
  const members = Object.entries(value).sort(([a], [b]) =>
    Buffer.compare(Buffer.from(a), Buffer.from(b)),
  );
  return `{${members.map(([key, member]) => `${toGoJson(key)}:${toJsonText(member)}`).join(',')}}`;
}

/** The longest that a single-precision number needs to be told from its neighbours. */
const MOST_DIGITS = 9;

/** Go's strconv.FormatFloat with 'g', -1 and 32 bits. */
function toSingleText(value: number): string {
  const single = Math.fround(value);
  if (Number.isNaN(single)) return 'NaN';
  if (!Number.isFinite(single)) return single > 0 ? '+Inf' : '-Inf';
  if (Object.is(single, -0)) return '-0';
  let digits = 1;
  while (digits < MOST_DIGITS && Math.fround(Number(single.toExponential(digits - 1))) !== single)
    digits += 1;
  const [mantissa = '', exponent = '0'] = single.toExponential(digits - 1).split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(Number(`${mantissa}e${exponent}`));
  const size = String(Math.abs(power)).padStart(2, '0');
  return `${mantissa}e${power < 0 ? '-' : '+'}${size}`;
}
