/** More digits than any int32 has. */
const MAX_DIGITS = 10;

/**
 * Reads a JSON number as an int32, as protojson does: `60`, `60.0` and `6e1` are the same whole
 * number. Undefined for anything else: fractions, other bases, values out of range. Calculates with
 * the digits, because a JavaScript number would round away a small fraction.
 */
export function toInt32(text: string): number | undefined {
  const parts = splitNumber(text);
  if (parts === undefined) return undefined;
  const { sign, whole, fraction, exponentText } = parts;
  const digits = withoutLeadingZeros(whole + fraction);
  const significant = withoutEndZeros(digits);
  if (significant === '') return 0;
  const exponent = Number(exponentText) - fraction.length + digits.length - significant.length;
  if (exponent < 0 || significant.length + exponent > MAX_DIGITS) return undefined;
  const value = Number(`${sign}${significant}${'0'.repeat(exponent)}`);
  return value === (value | 0) ? value : undefined;
}

/** The parts of a number, as they are written. */
interface NumberParts {
  readonly sign: '' | '-';
  readonly whole: string;
  /** Empty if there is none. */
  readonly fraction: string;
  readonly exponentText: string;
}

/**
 * Splits a JSON number: no plus sign, no leading zeros, no dot without digits. Undefined for anything
 * else. Written by hand, because a regular expression overflows V8's stack on megabytes of digits.
 */
function splitNumber(text: string): NumberParts | undefined {
  const sign = text.startsWith('-') ? '-' : '';
  const wholeEnd = endOfDigits(text, sign.length);
  const whole = text.slice(sign.length, wholeEnd);
  if (whole === '' || (whole.length > 1 && whole.startsWith('0'))) return undefined;
  const hasDot = text[wholeEnd] === '.';
  const fractionEnd = hasDot ? endOfDigits(text, wholeEnd + 1) : wholeEnd;
  const fraction = text.slice(wholeEnd + 1, fractionEnd);
  if (hasDot && fraction === '') return undefined;
  const exponentText = fractionEnd === text.length ? '0' : readExponent(text, fractionEnd);
  return exponentText === undefined ? undefined : { sign, whole, fraction, exponentText };
}

/** The exponent that the rest of a number is; undefined if it is none. */
function readExponent(text: string, start: number): string | undefined {
  if (text[start] !== 'e' && text[start] !== 'E') return undefined;
  const isSigned = text[start + 1] === '+' || text[start + 1] === '-';
  const digitsAt = start + (isSigned ? 2 : 1);
  const end = endOfDigits(text, digitsAt);
  return end > digitsAt && end === text.length ? text.slice(start + 1) : undefined;
}

const [ZERO, NINE] = [0x30, 0x39];

function endOfDigits(text: string, start: number): number {
  let end = start;
  while (text.charCodeAt(end) >= ZERO && text.charCodeAt(end) <= NINE) end += 1;
  return end;
}

function withoutLeadingZeros(digits: string): string {
  let start = 0;
  while (digits[start] === '0') start += 1;
  return digits.slice(start);
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
