import { PREFIX_BYTES } from '../base/grpc-frames';
import { type GrpcStatus, statusOf } from './grpc-status';
import { full } from './inflate';
import { Status } from './status';

/**
 * Messages up to this size, in bytes, are not counted. Their number is limited by the number of
 * streams.
 */
const UNCOUNTED_BYTES = 1024;

/** Memory overhead of a message that waits to be read, in bytes. */
const QUEUED_MESSAGE_BYTES = 256;

/**
 * Longer messages are kept in chunks of this size, in bytes, and joined once they are complete. One
 * buffer that doubles would leave its predecessors behind, and once buffers of megabytes were freed, the
 * allocator of glibc keeps memory of that size for the process.
 */
const CHUNK_BYTES = 64 * 1024;

/** The limits and callbacks of a {@link MessageReader}. */
export interface MessageReaderOptions {
  /** Maximum size of a message, in bytes. -1 means no limit. */
  readonly maxBytes: number;
  /**
   * How many bytes of a message are kept; the rest is dropped on arrival. Undefined means all of
   * them.
   */
  readonly keptBytes?: number | undefined;
  /** Maximum number of messages on a call. */
  readonly maxMessages: number;
  /** The call's `grpc-encoding` header. */
  readonly encoding: string;
  /** Reserves memory, in bytes. Returns false if there is none left. */
  readonly take: (bytes: number) => boolean;
  /** Ends the call with a status. */
  readonly refuse: (status: GrpcStatus) => void;
}

/**
 * Splits the bytes of a call into messages. It replaces grpc-js's decoder to limit memory. An
 * unfinished message is kept in chunks, which come with the received data and count against a budget.
 * grpc-js keeps every received piece, and even a piece of one byte keeps the whole buffer that was read
 * from the socket.
 */
export class MessageReader {
  readonly #options: MessageReaderOptions;
  #prefixLength = 0;
  /** The parts of the prefix received so far: the flag and the message length. */
  #flag = 0;
  #size = 0;
  /** The last chunk, and the full ones before it. */
  #kept: Buffer | undefined;
  #chunks: Buffer[] | undefined;
  #chunkedBytes = 0;
  #received = 0;
  #messages = 0;
  #isOver = false;

  constructor(options: MessageReaderOptions) {
    this.#options = options;
  }

  /** Reads received data and returns the messages that it completes, each with its prefix. */
  write(data: Buffer): Buffer[] {
    const messages: Buffer[] = [];
    let at = 0;
    while (at < data.length && !this.#isOver) {
      at = this.#prefixLength < PREFIX_BYTES ? this.#readPrefix(data, at) : this.#read(data, at);
      if (this.#isComplete()) messages.push(this.#finish());
    }
    return messages;
  }

  #isComplete(): boolean {
    return !this.#isOver && this.#prefixLength === PREFIX_BYTES && this.#received === this.#size;
  }

  #readPrefix(data: Buffer, at: number): number {
    const end = Math.min(data.length, at + PREFIX_BYTES - this.#prefixLength);
    for (let from = at; from < end; from += 1) this.#takePrefix(data[from] ?? 0);
    if (this.#prefixLength === PREFIX_BYTES) this.#begin();
    return end;
  }

  #takePrefix(byte: number): void {
    if (this.#prefixLength > 0) this.#size = this.#size * 256 + byte;
    else {
      this.#flag = byte;
      this.#size = 0;
    }
    this.#prefixLength += 1;
  }

  #begin(): void {
    this.#received = 0;
    const { maxBytes, maxMessages, encoding } = this.#options;
    const refusal = flagRefusal(this.#flag, encoding);
    if (refusal !== undefined) this.#refuse(refusal);
    else if (maxBytes !== -1 && this.#size > maxBytes) {
      this.#refuse(tooMuch(`Received message larger than max (${this.#size} vs ${maxBytes})`));
    } else if (this.#messages >= maxMessages) {
      this.#refuse(tooMuch(`more than ${maxMessages} messages on a call`));
    } else if (this.#messages > 0 && !this.#options.take(QUEUED_MESSAGE_BYTES))
      this.#refuse(full());
  }

  #read(data: Buffer, at: number): number {
    const end = Math.min(data.length, at + this.#size - this.#received);
    const { keptBytes = this.#size } = this.#options;
    const keptEnd = Math.min(end, at + keptBytes - this.#received);
    if (keptEnd > at) this.#keep(data.subarray(at, keptEnd), keptBytes);
    this.#received += end - at;
    return end;
  }

  /** Appends a piece to the kept part of the message. */
  #keep(piece: Buffer, keptBytes: number): void {
    const whole = PREFIX_BYTES + Math.min(this.#size, keptBytes);
    let start = PREFIX_BYTES + this.#received;
    for (let at = 0; at < piece.length;) {
      const rest = start + piece.length - at;
      const end = Math.min(rest, this.#chunkedBytes + CHUNK_BYTES);
      const kept = this.#bufferFor(end - this.#chunkedBytes, whole - this.#chunkedBytes);
      if (kept === undefined) return;
      at += piece.copy(kept, start - this.#chunkedBytes, at, at + end - start);
      start = end;
      if (end - this.#chunkedBytes === CHUNK_BYTES) this.#setAside(kept);
    }
  }

  /**
   * Returns a buffer with enough room for the chunk. The first one at least doubles if it has to grow, as
   * most messages are short; later ones have their whole length at once. Returns undefined if there is
   * no memory: the call has ended then.
   */
  #bufferFor(end: number, whole: number): Buffer | undefined {
    const before = this.#kept?.length ?? 0;
    if (end <= before) return this.#kept;
    const least = this.#chunkedBytes === 0 ? Math.max(end, 2 * before) : CHUNK_BYTES;
    const length = Math.min(whole, CHUNK_BYTES, least);
    const isCounted = this.#chunkedBytes + length > UNCOUNTED_BYTES;
    if (isCounted && !this.#options.take(length - before)) {
      this.#refuse(full());
      return undefined;
    }
    const grown = Buffer.allocUnsafe(length);
    this.#kept?.copy(grown);
    this.#kept = grown;
    return grown;
  }

  #setAside(chunk: Buffer): void {
    (this.#chunks ??= []).push(chunk);
    this.#chunkedBytes += chunk.length;
    this.#kept = undefined;
  }

  #finish(): Buffer {
    const message = this.#join();
    message.writeUInt8(this.#flag, 0);
    message.writeUInt32BE(this.#size, 1);
    this.#drop();
    this.#prefixLength = 0;
    this.#messages += 1;
    return message;
  }

  #join(): Buffer {
    if (this.#chunks === undefined) return this.#kept ?? Buffer.allocUnsafe(PREFIX_BYTES);
    return Buffer.concat(this.#kept === undefined ? this.#chunks : [...this.#chunks, this.#kept]);
  }

  #drop(): void {
    this.#kept = undefined;
    this.#chunks = undefined;
    this.#chunkedBytes = 0;
  }

  #refuse(refusal: GrpcStatus): void {
    this.#isOver = true;
    this.#drop();
    this.#options.refuse(refusal);
  }
}

/**
 * Refuses a flag that does not match the call's encoding, with grpc-go's messages (rpc_util.go,
 * checkRecvPayload).
 */
function flagRefusal(flag: number, encoding: string): GrpcStatus | undefined {
  if (flag === 0) return undefined;
  if (flag > 1) {
    return statusOf(Status.INTERNAL, `grpc: received unexpected payload format ${flag}`);
  }
  if (encoding !== '' && encoding !== 'identity') return undefined;
  return statusOf(Status.INTERNAL, 'grpc: compressed flag set with identity or empty encoding');
}

function tooMuch(message: string): GrpcStatus {
  return statusOf(Status.RESOURCE_EXHAUSTED, message);
}
