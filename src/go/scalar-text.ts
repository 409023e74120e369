import { toGoJson } from './go-json';

/**
 * Converts a component's metadata value to text as daprd does (YAML to JSON to text): booleans and
 * numbers as in JSON, null as an empty text, lists and maps as compact JSON.
 */
export function toText(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === null || value === undefined ? '' : toJsonText(value);
}

/**
 * Converts a scalar to text for a string field of a manifest (sigs.k8s.io/yaml). Unlike with {@link
 * toText}, a float has only the digits that single precision needs.
 */
export function toFieldText(value: unknown): string {
  return typeof value === 'number' ? toSingleText(value) : toText(value);
}

/** True if a value contains a number that JSON can't express: `.inf`, `.nan`. */
export function hasNonFinite(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some(hasNonFinite);
}

/** Writes JSON with the keys of maps in the order of their bytes, as Go does. */
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

/** The most digits that identify a single-precision number. */
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
