import { toGoJson } from '../sidecar/go-json';

/** The whole numbers that daprd keeps digit by digit: beyond them they become floats. */
const INT_MIN = -(2n ** 63n);
const UINT_MAX = 2n ** 64n - 1n;

/**
 * The text that a YAML value stands for where text is wanted, as daprd has it (YAML to JSON to
 * text): booleans and numbers in JSON's form, null as nothing, lists and maps as compact JSON.
 */
export function toText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'bigint':
      return String(value >= INT_MIN && value <= UINT_MAX ? value : Number(value));
    case 'number':
    case 'boolean':
      return String(value);
    default:
      return value === null || value === undefined ? '' : toGoJson(sortKeys(value));
  }
}

/** Go writes maps in order of their keys. */
function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'object' || value === null) return value;
  const sorted = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([key, member]) => [key, sortKeys(member)]));
}

/** True where a value holds a number that JSON can't write: `.inf`, `.nan`. */
export function hasNonFinite(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some(hasNonFinite);
}
