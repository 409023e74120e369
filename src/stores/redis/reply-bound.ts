/**
 * The longest reply that is taken, in bytes. INFO is the longest that is asked for, some 20 KiB; a
 * reply to a lock command has hardly 20 bytes.
 */
export const LONGEST_REPLY_BYTES = 2 ** 20;

/** What no element of a list can be shorter than, in bytes: `_` and the end of its line. */
const SHORTEST_ELEMENT_BYTES = 3;

/** How many lists may be open within each other; node-redis takes long for many. Ours are two. */
const DEEPEST_LISTS = 8;

/** As much of a line is looked at as its type and a number take. */
const HEAD_BYTES = 32;

const CARRIAGE_RETURN = 13;

/**
 * Follows a stream of RESP (https://redis.io/docs/latest/develop/reference/protocol-spec/) so far
 * as to know where replies end, and says when one is longer than allowed: by its announced length,
 * before anything of it is kept, or by what has come of it. Lines end where node-redis ends them.
 */
export class ReplyMeter {
  #bytes = 0;
  #head = '';
  /** Bytes to come whose content is of no matter: of a string, and of the end of a line. */
  #skipped = 0;
  #isLineAtEnd = false;
  /** The elements that are still to come of each list that is open. */
  readonly #lists: number[] = [];
  #isExceeded = false;

  /** Reads on. False for good once a reply is too long. */
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

/** Of a node-redis client what gives access to the bytes that come. */
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
 * Bounds what a client keeps of one reply; to be called before it connects. node-redis keeps
 * whatever comes, and offers no way to look at it first: this reaches for its socket by two methods
 * that it marks as internal. A test over the wire fails if an upgrade moves them.
 *
 * @param onExcess has to end the client: nothing more reaches it
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
