/** The types of HTTP/2 frames that are written by hand (RFC 9113, 6). */
export const FRAME = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goAway: 7 } as const;

/** Flags of DATA and HEADERS. */
export const END_STREAM = 1;
export const END_HEADERS = 4;

/** The payload of a RST_STREAM that cancels. */
export const CANCEL = Buffer.from([0, 0, 0, 8]);

/** A frame of HTTP/2 (RFC 9113, 4.1). */
export function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** What a client sends first: the preface and settings without a wish. */
export function connectionStart(): Buffer {
  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  return Buffer.concat([preface, frame(FRAME.settings, 0, 0, Buffer.alloc(0))]);
}

/** Header fields as literals that are never indexed (RFC 7541, 6.2.2), each shorter than 127 bytes. */
export function headerBlock(fields: Readonly<Record<string, string>>): Buffer {
  const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
  return Buffer.concat(
    Object.entries(fields).flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]),
  );
}

/** The length prefix of a gRPC message, uncompressed. */
export function messagePrefix(length: number): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(length, 1);
  return prefix;
}

/** A gRPC call on a stream, its message included, as it stands in a socket's buffer. */
export function callFrames(
  stream: number,
  call: {
    readonly path: string;
    readonly message: Buffer;
    readonly headers?: Readonly<Record<string, string>>;
  },
): Buffer {
  const block = headerBlock({
    ':method': 'POST',
    ':scheme': 'http',
    ':path': call.path,
    ':authority': 'localhost',
    'content-type': 'application/grpc',
    te: 'trailers',
    ...call.headers,
  });
  const body = Buffer.concat([messagePrefix(call.message.length), call.message]);
  return Buffer.concat([
    frame(FRAME.headers, END_HEADERS, stream, block),
    frame(FRAME.data, END_STREAM, stream, body),
  ]);
}
