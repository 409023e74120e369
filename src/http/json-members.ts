/** A body that is no JSON object of the kind asked for; says where it is wrong, quotes no value. */
export class JsonBodyError extends Error {
  override readonly name = 'JsonBodyError';
}

/** A member of the outermost object: its name, and its value as it is written. */
export interface JsonMember {
  readonly name: string;
  /** The value's own text: `60.0` and `6e1` are not the same text. */
  readonly text: string;
}

/** As deep as Go's protojson follows nested values. */
const MAX_DEPTH = 10_000;

/**
 * The members of a JSON object in the order in which they are written, repeated ones too. This is
 * what JSON.parse can't tell: it keeps the last of two members of one name, and numbers as values.
 *
 * @param json text that JSON.parse has accepted as an object; nothing else is looked at twice
 * @throws {JsonBodyError} for a lone surrogate in any string, which Go refuses, and for depth
 */
export function readMembers(json: string): readonly JsonMember[] {
  const members: JsonMember[] = [];
  let depth = 0;
  let name: string | undefined;
  let valueAt = 0;
  for (let at = 0; at < json.length; at += 1) {
    const character = json.charCodeAt(at);
    if (character === QUOTE) {
      const end = endOfString(json, at);
      const text = readString(json, at, end);
      if (depth === 1) name ??= text;
      at = end - 1;
      continue;
    }
    depth += nesting(character);
    if (depth > MAX_DEPTH) throw new JsonBodyError('exceeded max recursion depth');
    if (character === COLON && depth === 1) valueAt = at + 1;
    else if (name !== undefined && endsMember(character, depth)) {
      members.push({ name, text: json.slice(valueAt, at).trim() });
      name = undefined;
    }
  }
  return members;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/** How a character changes the depth. */
function nesting(character: number): number {
  switch (character) {
    case 0x5b: // [
    case 0x7b: // {
      return 1;
    case 0x5d: // ]
    case 0x7d: // }
      return -1;
    default:
      return 0;
  }
}

/** The outermost object's own end, or a comma between its members. */
function endsMember(character: number, depth: number): boolean {
  return depth === 0 || (depth === 1 && character === COMMA);
}

/** Where a string that begins at a quote is over: the place after its closing quote. */
function endOfString(json: string, start: number): number {
  let end = json.indexOf('"', start + 1);
  while (isEscaped(json, end)) end = json.indexOf('"', end + 1);
  return end + 1;
}

/** A quote is escaped by an odd number of backslashes before it. */
function isEscaped(json: string, at: number): boolean {
  let backslashes = 0;
  while (json.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes += 1;
  return backslashes % 2 === 1;
}

/** What a string says. Text that was UTF-8 holds a lone surrogate only by an escape. */
function readString(json: string, start: number, end: number): string {
  const inside = json.slice(start + 1, end - 1);
  if (!inside.includes('\\')) return inside;
  const text = JSON.parse(json.slice(start, end)) as string;
  if (!text.isWellFormed()) throw new JsonBodyError('invalid escape code in string');
  return text;
}
