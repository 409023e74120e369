import { connect, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';

/** The answer on a raw HTTP/2 stream. */
export interface RawAnswer {
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A message with its prefix. */
export function frame(text: string | Buffer, flag = 0): Buffer {
  const body = Buffer.from(text);
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(body.length, 1);
  return Buffer.concat([prefix, body]);
}

/** A gRPC request by hand, for what a gRPC client library would not send. */
export function rawCall(
  port: number,
  headers: OutgoingHttpHeaders,
  message = Buffer.alloc(0),
): Promise<RawAnswer> {
  const session = connect(`http://127.0.0.1:${port}`);
  return new Promise<RawAnswer>((resolve, reject) => {
    session.on('error', reject);
    const stream = session.request({
      ':method': 'POST',
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    const parts: Buffer[] = [];
    let received: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    stream.on('response', (responseHeaders) => {
      received = responseHeaders;
    });
    stream.on('trailers', (responseTrailers: IncomingHttpHeaders) => {
      trailers = responseTrailers;
    });
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('error', reject);
    stream.on('close', () => {
      resolve({ headers: received, trailers, body: Buffer.concat(parts) });
    });
    stream.end(frame(message));
  }).finally(() => {
    session.close();
  });
}
