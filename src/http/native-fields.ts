import { JsonBodyError, type JsonMember, readMembers } from '../go/json-members';
import { httpErrors } from './http-errors';

/** The type of a field of the native API. `?` means optional. */
export type NativeFieldType = 'text' | 'text?' | 'number' | 'number?';

/** The fields of a request, by name. */
export type NativeFields = Readonly<Record<string, NativeFieldType>>;

/** The values of a request, by name. A missing text is empty, a missing number undefined. */
export type NativeValues<Fields extends NativeFields> = {
  readonly [Name in keyof Fields]: Fields[Name] extends 'text' | 'text?'
    ? string
    : Fields[Name] extends 'number'
      ? number
      : number | undefined;
};

/** How many characters of a value or a name an error shows. */
const SHOWN_CHARACTERS = 40;

/** The longest accepted body, in bytes. It has ample room for a resource and an owner. */
export const LONGEST_NATIVE_BODY = {
  bytes: 64 * 1024,
  refuse: () => httpErrors.bodyMalformed('the body is longer than 65536 bytes'),
};

/**
 * Reads the body of a native call: a JSON object with these fields and no others. A field that is
 * null counts as missing.
 *
 * @throws {HttpError} `bodyMalformed`, with a reason that names the field and quotes no text
 */
export function decodeNativeBody<Fields extends NativeFields>(
  body: Buffer | undefined,
  fields: Fields,
): NativeValues<Fields> {
  try {
    return decode(body ?? Buffer.alloc(0), fields);
  } catch (error) {
    if (!(error instanceof JsonBodyError)) throw error;
    throw httpErrors.bodyMalformed(error.message);
  }
}

/**
 * Reads the query of a native call: these parameters, each at most once, and no others.
 *
 * @param url the request's target
 * @throws {HttpError} `queryMalformed`
 */
export function decodeNativeQuery<Fields extends NativeFields>(
  url: string,
  fields: Fields,
): NativeValues<Fields> {
  const values = new Values(fields, 'parameter');
  const [, query = ''] = url.split(/\?(.*)/s);
  try {
    for (const part of query.split('&')) {
      if (part === '') continue;
      const [name = '', text = ''] = part.split(/=(.*)/s).map(unescapeQuery);
      values.set(name, fields[name]?.startsWith('number') === true ? toNumber(name, text) : text);
    }
    return values.complete();
  } catch (error) {
    if (!(error instanceof JsonBodyError)) throw error;
    throw httpErrors.queryMalformed(error.message);
  }
}

/** Reads unknown members too, because they are refused by name. */
const ALL_NAMES = { shortest: 0, longestText: Infinity, has: () => true };

function decode<Fields extends NativeFields>(body: Buffer, fields: Fields): NativeValues<Fields> {
  const values = new Values(fields, 'field');
  const take = (member: JsonMember): void => {
    const value = member.text === 'null' ? undefined : readValue(member, fields);
    values.set(member.name, value);
  };
  readMembers(body, { wanted: ALL_NAMES, take });
  return values.complete();
}

function readValue({ name, text }: JsonMember, fields: NativeFields): string | number {
  const type = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (type?.startsWith('number') === true) return toNumber(name, text);
  // An unknown field is refused later, whatever its type is.
  if (!text.startsWith('"') && type !== undefined) {
    throw new JsonBodyError(`${name} is ${kindOf(text)}; a string is allowed`);
  }
  return text.startsWith('"') ? (JSON.parse(text) as string) : '';
}

function toNumber(name: string, text: string): number {
  // Some programs write whole numbers with a fraction of zero.
  if (/^-?\d+(?:\.0+)?$/.test(text)) return Number(text);
  const shown = /^-?\d/.test(text) ? text.slice(0, SHOWN_CHARACTERS) : kindOf(text);
  throw new JsonBodyError(`${name} is ${shown}; a whole number is allowed`);
}

function kindOf(text: string): string {
  if (text.startsWith('"')) return 'a string';
  if (text.startsWith('{')) return 'an object';
  if (text.startsWith('[')) return 'a list';
  return /^-?\d/.test(text) ? 'a number' : text === '' ? 'empty' : text.slice(0, SHOWN_CHARACTERS);
}

/** The values that were read so far. */
class Values<Fields extends NativeFields> {
  readonly #fields: Fields;
  readonly #kind: 'field' | 'parameter';
  readonly #read = new Map<string, string | number | undefined>();

  constructor(fields: Fields, kind: 'field' | 'parameter') {
    this.#fields = fields;
    this.#kind = kind;
  }

  set(name: string, value: string | number | undefined): void {
    if (!Object.hasOwn(this.#fields, name)) {
      const allowed = Object.keys(this.#fields).join(', ');
      const shown = JSON.stringify(name.slice(0, SHOWN_CHARACTERS));
      throw new JsonBodyError(`unknown ${this.#kind} ${shown} (allowed: ${allowed})`);
    }
    if (this.#read.has(name)) throw new JsonBodyError(`${name} occurs twice`);
    this.#read.set(name, value);
  }

  complete(): NativeValues<Fields> {
    const entries = Object.entries(this.#fields).map(([name, type]) => {
      const value = this.#read.get(name);
      if (value === undefined && !type.endsWith('?')) {
        throw new JsonBodyError(`${this.#kind} ${name} is missing`);
      }
      return [name, value ?? (type === 'text?' ? '' : undefined)] as const;
    });
    return Object.fromEntries(entries) as NativeValues<Fields>;
  }
}

/** Node reads a URL's bytes as latin1 characters, and a client may send UTF-8 without escapes. */
function unescapeQuery(text: string): string {
  try {
    const bytes = text.replaceAll('+', ' ').replace(/[\x80-\xff]/g, escapeByte);
    return decodeURIComponent(bytes);
  } catch {
    throw new JsonBodyError('an escape is not valid UTF-8');
  }
}

function escapeByte(character: string): string {
  return `%${character.charCodeAt(0).toString(16)}`;
}
