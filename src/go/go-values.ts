/**
 * Parsers for values of component metadata, as daprd's `lock.redis` reads them
 * (dapr/components-contrib common/component/redis/settings.go). An invalid value is an error, and
 * never replaced by a default.
 */

/** An invalid value. The message is the part after daprd's `error decoding 'x': `. */
export class MetadataValueError extends Error {
  override readonly name = 'MetadataValueError';
  readonly value: string;
  /** The message with another text instead of the value, which may be a secret. */
  readonly describe: (shown: string) => string;

  constructor(value: string, describe: (shown: string) => string) {
    super(describe(value));
    this.value = value;
    this.describe = describe;
  }
}

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

/** Reads a boolean as Go's strconv.ParseBool does: no `yes`, no empty text. */
export function parseGoBoolean(text: string): boolean {
  if (TRUE.has(text)) return true;
  if (FALSE.has(text)) return false;
  throw new MetadataValueError(text, (shown) => `invalid bool "${shown}"`);
}

/**
 * Reads a whole number in base 10, without spaces, within the given bounds.
 *
 * @throws {MetadataValueError} for anything else
 */
export function parseGoInteger(
  text: string,
  bounds: { readonly min: number; readonly max: number },
): number {
  const value = /^[+-]?\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (!(value >= bounds.min && value <= bounds.max)) {
    const isAny = bounds.min === Number.MIN_SAFE_INTEGER;
    const allowed = isAny ? 'a whole number' : `${bounds.min} to ${bounds.max}`;
    throw new MetadataValueError(text, (shown) => `invalid int "${shown}" (allowed: ${allowed})`);
  }
  return value;
}

/**
 * Reads a whole number of 64 bits, as Go's strconv.ParseInt does.
 *
 * @throws {MetadataValueError} for anything else
 */
export function parseGoInt64(text: string): bigint {
  const value = /^[+-]?\d+$/.test(text) ? BigInt(text.replace(/^\+/, '')) : undefined;
  if (value !== undefined && BigInt.asIntN(64, value) === value) return value;
  throw new MetadataValueError(text, (shown) => `invalid int "${shown}"`);
}

/**
 * Reads a whole number of 64 bits without a sign, as Go's strconv.ParseUint does.
 *
 * @throws {MetadataValueError} for anything else
 */
export function parseGoUnsigned(text: string): bigint {
  const value = /^\d+$/.test(text) ? BigInt(text) : undefined;
  if (value !== undefined && BigInt.asUintN(64, value) === value) return value;
  throw new MetadataValueError(text, (shown) => `invalid uint "${shown}"`);
}

/** The longest duration of Go's time.Duration, 2^63-1 ns, in milliseconds. */
const LONGEST_DURATION_MS = (2 ** 63 - 1) / 1e6;

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Numbers with units, with one sign for all: `1h2.5m` (Go's time.ParseDuration). */
const DURATION = /^([+-]?)((?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;

/**
 * Reads a duration in Go's syntax (`5s`, `1.5h`, `100ms`; no days, no spaces). Returns
 * milliseconds.
 *
 * @throws {MetadataValueError} for anything else
 */
export function parseGoDuration(text: string): number {
  if (text === '0') return 0;
  const match = DURATION.exec(text);
  if (match === null) {
    throw new MetadataValueError(
      text,
      (shown) => `invalid duration "${shown}" (for example 500ms, 5s, 1m30s)`,
    );
  }
  const [, sign, chain = ''] = match;
  let total = 0;
  for (const [, number, unit = ''] of chain.matchAll(/([\d.]+)([a-zµμ]+)/g)) {
    total += Number(number) * (UNIT_MS[unit] ?? 0);
  }
  if (total > LONGEST_DURATION_MS) {
    throw new MetadataValueError(
      text,
      (shown) => `invalid duration "${shown}" (at most 2562047h is allowed)`,
    );
  }
  return sign === '-' ? -total : total;
}

/**
 * Reads a duration of `lock.redis` in milliseconds. A whole number is milliseconds, anything else
 * is Go's syntax. A negative number means "off" in go-redis and is returned unchanged.
 *
 * @throws {MetadataValueError} for anything else
 */
export function parseRedisDuration(text: string): number {
  return /^[+-]?\d+$/.test(text) ? Number(text) : parseGoDuration(text);
}
