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
export function* readMembers(json: string): Generator<JsonMember> {
  let depth = 0;
  let name: string | undefined;
  let valueAt = 0;
  for (const { character, at, end } of readMarks(json)) {
    depth += NESTING[character] ?? 0;
    if (depth > MAX_DEPTH) throw new JsonBodyError('exceeded max recursion depth');
    if (character === '"') {
      const text = parseString(json.slice(at, end));
      if (depth === 1) name ??= text;
    } else if (character === ':') {
      if (depth === 1) valueAt = end;
    } else if (name !== undefined && endsMember(character, depth)) {
      yield { name, text: json.slice(valueAt, at).trim() };
      name = undefined;
    }
  }
}

/** How each bracket changes the depth. */
const NESTING: Readonly<Record<string, number>> = { '{': 1, '[': 1, '}': -1, ']': -1 };

function endsMember(character: string, depth: number): boolean {
  return depth === 0 || (depth === 1 && character === ',');
}

/** A bracket, comma or colon, or a whole string, under its opening quote. */
interface Mark {
  readonly character: string;
  readonly at: number;
  readonly end: number;
}

function* readMarks(json: string): Generator<Mark> {
  const marks = /["{}[\],:]/g;
  for (let match = marks.exec(json); match !== null; match = marks.exec(json)) {
    const [[character], at] = [match, match.index];
    const end = character === '"' ? endOfString(json, at) : at + 1;
    yield { character, at, end };
    marks.lastIndex = end;
  }
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
  while (json[at - 1 - backslashes] === '\\') backslashes += 1;
  return backslashes % 2 === 1;
}

function parseString(literal: string): string {
  const text = JSON.parse(literal) as string;
  if (!text.isWellFormed()) throw new JsonBodyError('invalid escape code in string');
  return text;
}
