import { status } from '@grpc/grpc-js';

import { type GrpcStatus, statusOf } from './grpc-status';
import { full } from './inflate';

/** What stands before each message: a flag and the length (gRPC over HTTP/2, Length-Prefixed-Message). */
export const PREFIX_BYTES = 5;

/** Messages up to this size are not counted: there are no more of them than streams. In bytes. */
const UNCOUNTED_BYTES = 1024;

/** What a message costs that waits to be read, beside its bytes. */
const QUEUED_MESSAGE_BYTES = 256;

/** How the messages of a call are read. */
export interface MessageReaderOptions {
  /** Longest message taken, in bytes; -1 for no limit. */
  readonly maxBytes: number;
  /** How much of a message is kept, the rest is dropped as it comes; all of it where undefined. */
  readonly keptBytes?: number | undefined;
  /** The most messages on a call. */
  readonly maxMessages: number;
  /** The call's `grpc-encoding`. */
  readonly encoding: string;
  /** Asks for memory, in bytes; false where there is no more. */
  readonly take: (bytes: number) => boolean;
  /** Ends the call. */
  readonly refuse: (status: GrpcStatus) => void;
}

/**
 * Cuts the bytes of a call into messages, as grpc-js's own decoder does, whose place it takes. What it
 * holds of an unfinished message is one buffer that grows with what has come, and is paid for out of a
 * budget: grpc-js keeps every piece, and with a piece of one byte all that was read from the socket with it.
 */
export class MessageReader {
  readonly #options: MessageReaderOptions;
  #prefixLength = 0;
  /** What the prefix says, as far as it has come: the flag and the length of the message. */
  #flag = 0;
  #size = 0;
  #kept: Buffer | undefined;
  #received = 0;
  #messages = 0;
  #isOver = false;

  constructor(options: MessageReaderOptions) {
    this.#options = options;
  }

  /** Takes what came, and gives the messages that are complete by now, each with its prefix. */
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
    this.#kept = undefined;
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

  /** Adds a piece to what there is of the message. */
  #keep(piece: Buffer, keptBytes: number): void {
    const start = PREFIX_BYTES + this.#received;
    const whole = PREFIX_BYTES + Math.min(this.#size, keptBytes);
    const kept = this.#bufferFor(start + piece.length, whole);
    if (kept !== undefined) piece.copy(kept, start);
  }

  /** It at least doubles where it has to grow. Undefined where there is no room: the call is over. */
  #bufferFor(end: number, whole: number): Buffer | undefined {
    const before = this.#kept?.length ?? 0;
    if (end <= before) return this.#kept;
    const length = Math.min(whole, Math.max(end, 2 * before));
    if (length > UNCOUNTED_BYTES && !this.#options.take(length - before)) {
      this.#refuse(full());
      return undefined;
    }
    const grown = Buffer.allocUnsafe(length);
    this.#kept?.copy(grown);
    this.#kept = grown;
    return grown;
  }

  #finish(): Buffer {
    const message = this.#kept ?? Buffer.allocUnsafe(PREFIX_BYTES);
    message.writeUInt8(this.#flag, 0);
    message.writeUInt32BE(this.#size, 1);
    this.#kept = undefined;
    this.#prefixLength = 0;
    this.#messages += 1;
    return message;
  }

  #refuse(refusal: GrpcStatus): void {
    this.#isOver = true;
    this.#kept = undefined;
    this.#options.refuse(refusal);
  }
}

/** What grpc-go answers to a flag that does not go with the call's encoding (rpc_util.go, checkRecvPayload). */
function flagRefusal(flag: number, encoding: string): GrpcStatus | undefined {
  if (flag === 0) return undefined;
  if (flag > 1) {
    return statusOf(status.INTERNAL, `grpc: received unexpected payload format ${flag}`);
  }
  if (encoding !== '' && encoding !== 'identity') return undefined;
  return statusOf(status.INTERNAL, 'grpc: compressed flag set with identity or empty encoding');
}

function tooMuch(message: string): GrpcStatus {
  return statusOf(status.RESOURCE_EXHAUSTED, message);
}
