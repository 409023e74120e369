/**
 * Reads YAML scalars as daprd does. Its parser (sigs.k8s.io/yaml over goyaml.v2) follows neither
 * YAML 1.1 nor 1.2 exactly: `0o17` is 15 and `yes` is true, but 12:30 and dates are strings. So is
 * a number beyond double precision, such as the password `91e5347`.
 */

/** A value that a scalar can have; whole numbers of up to 64 bits are bigints. */
export type GoScalar = string | number | bigint | boolean | null;

/** A scalar that is not valid for its tag. */
export class ScalarError extends Error {
  override readonly name = 'ScalarError';
}

const WORDS: ReadonlyMap<string, GoScalar> = new Map<string, GoScalar>([
  ...entriesOf(true, 'y Y yes Yes YES true True TRUE on On ON'),
  ...entriesOf(false, 'n N no No NO false False FALSE off Off OFF'),
  ...entriesOf(null, '~ null Null NULL'),
  ['', null],
  ...entriesOf(NaN, '.nan .NaN .NAN'),
  ...entriesOf(Infinity, '.inf .Inf .INF +.inf +.Inf +.INF'),
  ...entriesOf(-Infinity, '-.inf -.Inf -.INF'),
]);

function entriesOf(value: GoScalar, words: string): (readonly [string, GoScalar])[] {
  return words.split(' ').map((word) => [word, value] as const);
}

const FLOAT = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/;

/** A whole number as Go's strconv reads it: its prefix gives its base. */
const INTEGER = /^([-+]?)(?:0[xX]([\da-fA-F]+)|0[oO]?([0-7]+)|0[bB]([01]+)|(0|[1-9]\d*))$/;

const INT_MIN = -(2n ** 63n);
const INT_MAX = 2n ** 63n - 1n;
const UINT_MAX = 2n ** 64n - 1n;

/** Reads a scalar without quotes and without a tag. */
export function resolvePlain(text: string): GoScalar {
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  if (!/^[-+.\d]/.test(text)) return text;
  // With a leading dot it can only be a float, and underscores stay.
  const plain = text.startsWith('.') ? text : text.replaceAll('_', '');
  return toInteger(plain) ?? toFloat(plain) ?? text;
}

/**
 * The tags that daprd's parser knows, without `tag:yaml.org,2002:`. Scalars with other tags are
 * strings.
 */
const BY_TAG: Readonly<Record<string, (text: string) => GoScalar | undefined>> = {
  str: (text) => text,
  null: (text) => onlyIf(resolvePlain(text), (value) => value === null),
  bool: (text) => onlyIf(resolvePlain(text), (value) => typeof value === 'boolean'),
  int: (text) => onlyIf(resolvePlain(text), (value) => typeof value === 'bigint'),
  float: (text) =>
    onlyIf(resolvePlain(text), (value) => ['bigint', 'number'].includes(typeof value)),
  timestamp: (text) => (TIMESTAMP.test(text) ? text : undefined),
  binary: fromBase64,
};

const TIMESTAMP =
  /^\d{4}-\d{1,2}-\d{1,2}(?:(?:[Tt]\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?(?:Z|[-+]\d\d:\d\d))|(?: \d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?))?$/;

/**
 * Reads a scalar with a tag, in quotes or not.
 *
 * @param tag the complete name, such as `tag:yaml.org,2002:int`
 * @throws {ScalarError} if the text is not valid for the tag
 */
export function resolveTagged(tag: string, text: string): GoScalar {
  const name = tag.replace(/^tag:yaml\.org,2002:/, '');
  const resolve = Object.hasOwn(BY_TAG, name) ? BY_TAG[name] : undefined;
  if (resolve === undefined) return text;
  const value = resolve(text);
  if (value === undefined) throw new ScalarError(`the value is not a !!${name}, as its tag says`);
  return value;
}

function onlyIf<T>(value: T, isMeant: (value: T) => boolean): T | undefined {
  return isMeant(value) ? value : undefined;
}

/** Undefined if it is not a whole number, or has more than 64 bits. Then it may be a float. */
function toInteger(text: string): bigint | undefined {
  const match = INTEGER.exec(text);
  if (match === null) return undefined;
  const [, sign, hex, octal, binary, decimal = ''] = match;
  const digits =
    hex !== undefined
      ? `0x${hex}`
      : octal !== undefined
        ? `0o${octal}`
        : binary !== undefined
          ? `0b${binary}`
          : decimal;
  const size = BigInt(digits);
  const value = sign === '-' ? -size : size;
  const most = sign === '' ? UINT_MAX : INT_MAX;
  return value >= INT_MIN && value <= most ? value : undefined;
}

/** Undefined if it is not a number, or beyond the range of a double. */
function toFloat(text: string): number | undefined {
  const value = FLOAT.test(text) ? Number(text) : NaN;
  return Number.isFinite(value) ? value : undefined;
}

/** Decodes base64 as Go does: line breaks are ignored, and padding is required. */
function fromBase64(text: string): string | undefined {
  const data = text.replaceAll(/[\r\n]/g, '');
  if (!/^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/.test(data)) return undefined;
  return Buffer.from(data, 'base64').toString('utf8');
}
