import type { Socket } from 'node:net';

import { openSocket } from './attack-sockets';

/** Types of frames (RFC 9113, 6). */
export const FRAME = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  continuation: 9,
} as const;

export const END_STREAM = 1;
export const END_HEADERS = 4;
const ACK = 1;

/** The longest frame that a receiver takes that did not say otherwise, in bytes. */
const LONGEST_FRAME = 16_384;

/** RST_STREAM of a client that has lost interest. */
const CANCEL = Buffer.from([0, 0, 0, 8]);

/** A frame of HTTP/2 (RFC 9113, 4.1). */
export function frame(
  type: number,
  stream: number,
  { flags = 0, payload = Buffer.alloc(0) }: { flags?: number; payload?: Buffer } = {},
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** The headers of a gRPC call, in as many frames as it takes; `flags` may hold END_STREAM. */
export function callHeaders(
  stream: number,
  path: string,
  more: Readonly<Record<string, string>> = {},
): Buffer {
  const block = headerBlock({
    ':method': 'POST',
    ':scheme': 'http',
    ':path': path,
    ':authority': 'localhost',
    'content-type': 'application/grpc',
    te: 'trailers',
    ...more,
  });
  const frames: Buffer[] = [];
  for (let at = 0; at < block.length; at += LONGEST_FRAME) {
    const payload = block.subarray(at, at + LONGEST_FRAME);
    const flags = at + LONGEST_FRAME >= block.length ? END_HEADERS : 0;
    frames.push(frame(at === 0 ? FRAME.headers : FRAME.continuation, stream, { flags, payload }));
  }
  return Buffer.concat(frames);
}

/** Bytes of a call's body, in as many frames as it takes. */
export function body(stream: number, bytes: Buffer, isLast = false): Buffer {
  const frames: Buffer[] = [];
  for (let at = 0; at < bytes.length || at === 0; at += LONGEST_FRAME) {
    const end = isLast && at + LONGEST_FRAME >= bytes.length;
    const payload = bytes.subarray(at, at + LONGEST_FRAME);
    frames.push(frame(FRAME.data, stream, { flags: end ? END_STREAM : 0, payload }));
  }
  return Buffer.concat(frames);
}

/** A message with its length before it, which may be more than there is of it. */
export function message(bytes: Buffer, length = bytes.length, flag = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(flag);
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, bytes]);
}

/** Ends a call from the client's side. */
export function reset(stream: number): Buffer {
  return frame(FRAME.reset, stream, { payload: CANCEL });
}

/** The first bytes that a client sends. */
export function preface(settings: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    frame(FRAME.settings, 0, { payload: settings }),
  ]);
}

/** A setting and its value (RFC 9113, 6.5). */
export function setting(id: number, value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt32BE(value, 2);
  return bytes;
}

/** An HTTP/2 connection of an attacker; it acknowledges nothing. */
export async function openHttp2(port: number): Promise<Socket> {
  const socket = await openSocket(port);
  socket.write(preface());
  return socket;
}

/** Header fields as literals that are never indexed (RFC 7541, 6.2.2). */
function headerBlock(fields: Readonly<Record<string, string>>): Buffer {
  return Buffer.concat(
    Object.entries(fields).flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]),
  );
}

function text(value: string): Buffer {
  return Buffer.concat([sevenBits(Buffer.byteLength(value)), Buffer.from(value)]);
}

/** An integer with a prefix of seven bits (RFC 7541, 5.1). */
function sevenBits(value: number): Buffer {
  if (value < 127) return Buffer.from([value]);
  const bytes = [127];
  let rest = value - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

/** PING; whoever gets it answers in order, so that by then all that was sent before has been read. */
export function ping(): Buffer {
  return frame(FRAME.ping, 0, { payload: Buffer.alloc(8) });
}

/** Listens to a connection and knows on which streams bytes of an answer have come, cancelled or not. */
export class AnsweredStreams {
  readonly ids = new Set<number>();
  /** Streams that the other side has ended. */
  readonly ended = new Set<number>();
  /** How many of its pings have been answered. */
  pings = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    socket.on('data', (part: Buffer) => {
      this.#rest = Buffer.concat([this.#rest, part]);
      while (this.#rest.length >= 9) {
        const end = 9 + this.#rest.readUIntBE(0, 3);
        if (this.#rest.length < end) return;
        this.#note(this.#rest.readUInt8(3), this.#rest.readUInt8(4), this.#rest.readUInt32BE(5));
        this.#rest = this.#rest.subarray(end);
      }
    });
  }

  #note(type: number, flags: number, stream: number): void {
    if (type === FRAME.data) this.ids.add(stream);
    const canEnd = type === FRAME.data || type === FRAME.headers;
    if (canEnd && (flags & END_STREAM) !== 0) this.ended.add(stream);
    if (type === FRAME.ping && (flags & ACK) !== 0) this.pings += 1;
  }
}
