/**
 * Maximum length of a reply, in bytes. The longest expected reply is that to INFO, about 20 KiB.
 * The reply to a lock command has about 20 bytes.
 */
export const LONGEST_REPLY_BYTES = 2 ** 20;

/** Minimum length of a list element in bytes: `_` and the line end. */
const SHORTEST_ELEMENT_BYTES = 3;

/** Maximum nesting of lists. node-redis is slow with deeply nested lists; ours have two levels. */
const DEEPEST_LISTS = 8;

/** How many bytes of a line are read: enough for its type and a number. */
const HEAD_BYTES = 32;

const CARRIAGE_RETURN = 13;

/**
 * Follows a RESP stream (https://redis.io/docs/latest/develop/reference/protocol-spec/) just far
 * enough to know where replies end, and detects a reply that is too long: by its announced length
 * before any of it is kept, or by the bytes received. It ends lines where node-redis does.
 */
export class ReplyMeter {
  #bytes = 0;
  #head = '';
  /** Bytes to skip because their content does not matter: the rest of a string or of a line end. */
  #skipped = 0;
  #isLineAtEnd = false;
  /** The number of remaining elements of each open list. */
  readonly #lists: number[] = [];
  #isExceeded = false;

  /** Reads more bytes. Returns false, from then on permanently, if a reply is too long. */
  take(chunk: Buffer): boolean {
    for (let at = 0; at < chunk.length && !this.#isExceeded;) {
      const next = this.#skipped > 0 ? this.#skip(chunk, at) : this.#readLine(chunk, at);
      at = next;
      if (this.#bytes + this.#skipped > LONGEST_REPLY_BYTES) this.#isExceeded = true;
    }
    return !this.#isExceeded;
  }

  #skip(chunk: Buffer, at: number): number {
    const length = Math.min(this.#skipped, chunk.length - at);
    this.#skipped -= length;
    this.#bytes += length;
    if (this.#skipped > 0) return at + length;
    if (this.#isLineAtEnd) this.#endLine();
    else this.#endValue();
    return at + length;
  }

  #readLine(chunk: Buffer, at: number): number {
    const end = chunk.indexOf(CARRIAGE_RETURN, at);
    const stop = end === -1 ? chunk.length : end;
    if (this.#head.length < HEAD_BYTES) {
      this.#head += chunk.toString('latin1', at, Math.min(stop, at + HEAD_BYTES));
    }
    this.#bytes += stop - at;
    if (end === -1) return stop;
    this.#isLineAtEnd = true;
    this.#skipped = 2;
    return stop;
  }

  #endLine(): void {
    const type = this.#head.charAt(0);
    const length = Number.parseInt(this.#head.slice(1), 10);
    this.#head = '';
    this.#isLineAtEnd = false;
    if ('$=!'.includes(type) && length >= 0) {
      this.#skipped = length + 2;
      return;
    }
    if ('*~>%|'.includes(type) && length > 0) {
      this.#openList('%|'.includes(type) ? 2 * length : length);
      return;
    }
    this.#endValue();
  }

  #openList(elements: number): void {
    this.#lists.push(elements);
    const shortest = elements * SHORTEST_ELEMENT_BYTES;
    const isTooDeep = this.#lists.length > DEEPEST_LISTS;
    if (isTooDeep || this.#bytes + shortest > LONGEST_REPLY_BYTES) this.#isExceeded = true;
  }

  #endValue(): void {
    while (this.#lists.length > 0) {
      const left = (this.#lists.pop() ?? 0) - 1;
      if (left > 0) {
        this.#lists.push(left);
        return;
      }
    }
    this.#bytes = 0;
  }
}

/** The part of a node-redis client that gives access to the incoming bytes. */
interface GuardedClient {
  _ejectSocket(): GuardedSocket;
  _insertSocket(socket: never): void;
}

interface GuardedSocket {
  listeners(event: 'data'): unknown[];
  removeAllListeners(event: 'data'): unknown;
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
}

/**
 * Limits how much of one reply a client keeps. Call it before the client connects. node-redis keeps
 * everything and has no option to look at it first, so this uses two methods that node-redis marks
 * as internal. A test over the wire fails if an upgrade moves them.
 *
 * @param onExcess must end the client; nothing more reaches it
 */
export function boundReplies(client: GuardedClient, onExcess: (error: Error) => void): void {
  const socket = client._ejectSocket();
  client._insertSocket(socket as never);
  const [decode] = socket.listeners('data') as ((chunk: Buffer) => void)[];
  socket.removeAllListeners('data');
  const meter = new ReplyMeter();
  socket.on('data', (chunk) => {
    if (meter.take(chunk)) decode?.(chunk);
    else
      onExcess(
        new Error(`a reply was longer than ${LONGEST_REPLY_BYTES} bytes, or nested too deeply`),
      );
  });
}
