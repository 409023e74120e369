/** A JSON number: no plus sign, no leading zeros, no dot without digits. */
const JSON_NUMBER = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** More digits than any int32 has. */
const MAX_DIGITS = 10;

/**
 * Reads a JSON number as an int32, as protojson does: `60`, `60.0` and `6e1` are the same whole
 * number. Undefined for anything else: fractions, other bases, values out of range. Calculates with
 * the digits, because a JavaScript number would round away a small fraction.
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

/**
 * Written by hand, because `/0+$/` starts again at every zero and takes quadratic time for long
 * runs of them.
 */
function withoutEndZeros(digits: string): string {
  let end = digits.length;
  while (digits[end - 1] === '0') end -= 1;
  return digits.slice(0, end);
}
