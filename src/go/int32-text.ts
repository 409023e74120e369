/** A number as JSON writes it: no sign but minus, no leading zeros, no bare point. */
const JSON_NUMBER = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** More digits than any int32 has. */
const MAX_DIGITS = 10;

/**
 * The int32 that a JSON number stands for, as protojson takes it: `60`, `60.0` and `6e1` are the
 * same whole number. Undefined for anything else: fractions, other bases, out of range. Worked out
 * on the digits, as a JavaScript number would round a fraction that is small enough away.
 */
export function toInt32(text: string): number | undefined {
  const match = JSON_NUMBER.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', exponentText = '0'] = match;
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = withoutEndZeros(digits);
  if (significant === '') return 0;
  const exponent = Number(exponentText) - fraction.length + digits.length - significant.length;
  if (exponent < 0 || significant.length + exponent > MAX_DIGITS) return undefined;
  const value = Number(`${sign}${significant}${'0'.repeat(exponent)}`);
  return value === (value | 0) ? value : undefined;
}

/** By hand: `/0+$/` begins anew at every zero, so that long runs of them take quadratic time. */
function withoutEndZeros(digits: string): string {
  let end = digits.length;
  while (digits[end - 1] === '0') end -= 1;
  return digits.slice(0, end);
}
