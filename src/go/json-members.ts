import { isUtf8 } from 'node:buffer';

/** A body that is not a valid JSON object. The message says what is wrong, but quotes no value. */
export class JsonBodyError extends Error {
  override readonly name = 'JsonBodyError';
}

/** A member of the top-level object: its name, and its value as text. */
export interface JsonMember {
  readonly name: string;
  /** The value as it is written, so that `60.0` and `6e1` differ. */
  readonly text: string;
}

/** The members to read, and the function that receives them. */
export interface MemberReader {
  readonly wanted: Pick<WantedNames, 'has' | 'shortest' | 'longestText'>;
  /** Called for each wanted member in the order of the body, also for repeated ones. */
  take(member: JsonMember): void;
}

/** The names of the wanted members. None is empty. */
export class WantedNames {
  readonly #names: ReadonlySet<string>;
  /** Length of the shortest name in characters. Shorter names in a body are skipped. */
  readonly shortest: number;
  /** Bytes of the longest name in JSON, with all characters escaped and with quotes. */
  readonly longestText: number;

  constructor(names: readonly string[]) {
    const lengths = names.map(({ length }) => length);
    this.#names = new Set(names);
    this.shortest = Math.min(...lengths);
    this.longestText = 6 * Math.max(...lengths) + 2;
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }
}

/**
 * Reads the wanted members of a JSON object. JSON.parse can't do that: it keeps only the last of
 * two equal names, and converts numbers. The body is read once, and nothing is created for other
 * members, so 4 MiB of very short members cost as much as 4 MiB of text.
 *
 * @throws {JsonBodyError} for a body that is not a JSON object (RFC 8259), and for what Go refuses
 *   in addition: a lone surrogate in a string, and too much nesting
 */
export function readMembers(body: Buffer, reader: MemberReader): void {
  if (!isUtf8(body)) throw new JsonBodyError('syntax error: invalid UTF-8');
  new JsonScan(body).readObject(reader);
}

/** Maximum nesting, as in Go's protojson. */
const MAX_DEPTH = 10_000;

const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const LETTER_U = 0x75;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** The characters that may follow a backslash, except `u`. */
const ESCAPED = new Set(Buffer.from('"\\/bfnrt'));

const LITERALS = ['true', 'false', 'null'].map((word) => Buffer.from(word));

/**
 * One pass over the bytes of a body. Each method starts at `#at` and moves it past what it read.
 */
class JsonScan {
  readonly #bytes: Buffer;
  #at = 0;
  /** The closing characters of the open objects and lists in the current value. */
  #closers: number[] = [];

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  readObject(reader: MemberReader): void {
    const first = this.#peek();
    if (first === undefined) throw notJson();
    if (first !== OPEN_OBJECT) {
      throw new JsonBodyError('syntax error: the body is not a JSON object');
    }
    this.#at += 1;
    if (this.#peek() === CLOSE_OBJECT) this.#at += 1;
    else while (this.#readMember(reader));
    if (this.#peek() !== undefined) throw notJson();
  }

  /**
   * Reads one member.
   *
   * @returns true if another member follows
   */
  #readMember(reader: MemberReader): boolean {
    this.#expect(QUOTE);
    const name = this.#readName(reader.wanted);
    this.#expect(COLON);
    this.#peek();
    const start = this.#at;
    this.#skipValue();
    if (name !== undefined) {
      reader.take({ name, text: this.#bytes.toString('utf8', start, this.#at) });
    }
    return this.#isFollowed(CLOSE_OBJECT);
  }

  /** Reads a member's name. Undefined if it is not wanted. */
  #readName(wanted: MemberReader['wanted']): string | undefined {
    const start = this.#at - 1;
    this.#skipString();
    const bytes = this.#at - start;
    if (bytes - 2 < wanted.shortest || bytes > wanted.longestText) return undefined;
    const text = this.#bytes.toString('utf8', start, this.#at);
    const name = text.includes('\\') ? (JSON.parse(text) as string) : text.slice(1, -1);
    return wanted.has(name) ? name : undefined;
  }

  /** Skips a value with everything nested in it. Not recursive, because the nesting may be deep. */
  #skipValue(): void {
    do {
      if (this.#opensValue()) continue;
      while (this.#closers.length > 0 && !this.#isFollowed(this.#closers.at(-1))) {
        this.#closers.pop();
      }
      if (this.#closers.at(-1) === CLOSE_OBJECT) this.#skipName();
    } while (this.#closers.length > 0);
  }

  /** Skips a scalar or an empty object or list. Enters any other object or list: then true. */
  #opensValue(): boolean {
    const first = this.#peek();
    this.#at += 1;
    switch (first) {
      case OPEN_OBJECT:
        if (!this.#enters(CLOSE_OBJECT)) return false;
        this.#skipName();
        return true;
      case OPEN_LIST:
        return this.#enters(CLOSE_LIST);
      case QUOTE:
        this.#skipString();
        return false;
      default:
        this.#at -= 1;
        this.#skipWord();
        return false;
    }
  }

  #enters(closer: number): boolean {
    // The top-level object counts too.
    if (this.#closers.length + 2 > MAX_DEPTH) {
      throw new JsonBodyError('exceeded max recursion depth');
    }
    if (this.#peek() === closer) {
      this.#at += 1;
      return false;
    }
    this.#closers.push(closer);
    return true;
  }

  #skipName(): void {
    this.#expect(QUOTE);
    this.#skipString();
    this.#expect(COLON);
  }

  /** Returns true at a comma and false at the closing character. Anything else is not JSON. */
  #isFollowed(closer: number | undefined): boolean {
    const next = this.#peek();
    if (next !== COMMA && next !== closer) throw notJson();
    this.#at += 1;
    return next === COMMA;
  }

  /** Skips the rest of a string after its opening quote. */
  #skipString(): void {
    const bytes = this.#bytes;
    for (let at = this.#at; at < bytes.length; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte === QUOTE) {
        this.#at = at + 1;
        return;
      }
      if (byte < 0x20) throw notJson();
      if (byte === BACKSLASH) at += this.#escapeLength(at) - 1;
    }
    throw notJson();
  }

  /** Length in bytes of the escape at a position. A surrogate pair counts as one escape. */
  #escapeLength(at: number): number {
    const kind = this.#bytes[at + 1];
    if (kind === undefined || !(kind === LETTER_U || ESCAPED.has(kind))) throw notJson();
    if (kind !== LETTER_U) return 2;
    const unit = this.#unitAt(at + 2);
    if (unit < 0xd800 || unit > 0xdfff) return 6;
    const isPair = this.#bytes[at + 6] === BACKSLASH && this.#bytes[at + 7] === LETTER_U;
    const low = unit < 0xdc00 && isPair ? this.#unitAt(at + 8) : 0;
    if (low < 0xdc00 || low > 0xdfff) throw new JsonBodyError('invalid escape code in string');
    return 12;
  }

  /** Reads four hexadecimal digits as a UTF-16 unit. */
  #unitAt(start: number): number {
    let unit = 0;
    for (let at = start; at < start + 4; at += 1) {
      const digit = hexDigit(this.#bytes[at] ?? 0);
      if (digit === undefined) throw notJson();
      unit = unit * 16 + digit;
    }
    return unit;
  }

  /** Skips a number or a literal. */
  #skipWord(): void {
    const first = this.#bytes[this.#at] ?? 0;
    if (first === MINUS || isDigit(first)) {
      this.#skipNumber();
      return;
    }
    const found = LITERALS.find((word) =>
      this.#bytes.subarray(this.#at, this.#at + word.length).equals(word),
    );
    if (found === undefined) throw notJson();
    this.#at += found.length;
  }

  #skipNumber(): void {
    this.#skip(MINUS);
    if (!this.#skip(ZERO)) this.#skipDigits();
    if (this.#skip(POINT)) this.#skipDigits();
    const exponent = (this.#bytes[this.#at] ?? 0) | 0x20;
    if (exponent !== 0x65) return;
    this.#at += 1;
    if (!this.#skip(PLUS)) this.#skip(MINUS);
    this.#skipDigits();
  }

  #skipDigits(): void {
    const start = this.#at;
    while (isDigit(this.#bytes[this.#at] ?? 0)) this.#at += 1;
    if (this.#at === start) throw notJson();
  }

  #skip(byte: number): boolean {
    if (this.#bytes[this.#at] !== byte) return false;
    this.#at += 1;
    return true;
  }

  #expect(byte: number): void {
    if (this.#peek() !== byte) throw notJson();
    this.#at += 1;
  }

  /** The next byte that is not white space, or undefined at the end. */
  #peek(): number | undefined {
    let byte = this.#bytes[this.#at];
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
      this.#at += 1;
      byte = this.#bytes[this.#at];
    }
    return byte;
  }
}

/**
 * One message for all syntax errors. V8's message quotes the text around the error, which may
 * contain an owner.
 */
function notJson(): JsonBodyError {
  return new JsonBodyError('syntax error: the body is not valid JSON');
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

function hexDigit(byte: number): number | undefined {
  if (isDigit(byte)) return byte - ZERO;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : undefined;
}
