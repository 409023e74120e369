import { deflateSync, gzipSync } from 'node:zlib';

import fc from 'fast-check';

import { daprPath } from '../grpc-fixture';

/** A call as a client of HTTP/2 makes it. */
export interface RawCall {
  readonly path: string;
  readonly fields: Readonly<Record<string, string>>;
  /** The sent bytes, in pieces. */
  readonly pieces: readonly Buffer[];
  /** True for a request that the client does not end. */
  readonly staysOpen?: boolean;
}

/**
 * Content that a client can always send at once: four such calls need less than half of the first
 * window (RFC 9113, 6.9.2). The client of node:http2 neither tells of the answer nor closes the
 * stream if a server answers, and resets with NO_ERROR (RFC 9113, 8.1), what it could not send yet.
 */
const MOST_BYTES = 8000;

/** The longest message that the servers accept, in bytes. */
export const MOST_MESSAGE_BYTES = 5000;

/** A token that the servers ask for. */
export const TOKEN = 'known';

const PATHS = [
  ...['TryLockAlpha1', 'UnlockAlpha1', 'GetMetadata', 'SetMetadata', 'GetState'].map(daprPath),
  ...['Acquire', 'Renew', 'Release', 'Get', 'List', 'ForceRelease'].map(
    (name) => `/holdfast.v1.Locks/${name}`,
  ),
  ...['/grpc.health.v1.Health/Check', '/grpc.health.v1.Health/List'],
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
  '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo',
  ...['/no.such.Service/Method', '/', '/a', daprPath('NoSuchMethod')],
];

/** Messages of protobuf: right for some methods, wrong for others, or for all. */
const MESSAGES = fc.oneof(
  { weight: 3, arbitrary: fc.constant(Buffer.alloc(0)) },
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.constantFrom('s', ''), fc.stringMatching(/^[a-z|]{0,12}$/), fc.nat(3))
      .map(([store, text, seconds]) =>
        Buffer.concat([
          field(1, store),
          field(2, text),
          field(3, text),
          Buffer.from([32, seconds]),
        ]),
      ),
  },
  { weight: 2, arbitrary: fc.constantFrom('*', 'a.b').map((text) => field(7, text)) },
  { weight: 1, arbitrary: fc.constantFrom(7000, 20_000).map((n) => field(1, 'x'.repeat(n))) },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)) },
);

/** Messages with their prefixes: compressed or not, as announced or not. */
const ENCODED = fc.record({
  encoding: fc.constantFrom(
    undefined,
    undefined,
    undefined,
    'identity',
    'gzip',
    'deflate',
    'snappy',
  ),
  messages: fc.oneof(
    { weight: 8, arbitrary: fc.array(MESSAGES, { minLength: 1, maxLength: 1 }) },
    { weight: 1, arbitrary: fc.array(MESSAGES, { maxLength: 3 }) },
  ),
  flag: fc.constantFrom(0, 0, 0, 1, 1, 2),
});

/** They are far, because a near one races with the answer. Some have no unit, or no number. */
const TIMEOUTS = fc.constantFrom('600S', '99999999H', '5M', '99999999m', 'x', '', '1', 'S');

const FIELDS = fc.record(
  {
    'content-type': fc.constantFrom(
      'application/grpc',
      'application/grpc+proto',
      'application/grpc-web',
      'application/json',
    ),
    'grpc-timeout': TIMEOUTS,
    'dapr-api-token': fc.constantFrom('wrong', `${TOKEN}x`),
    'user-agent': fc.constantFrom('grpc-go/1.60', 'x'),
    traceparent: fc.constantFrom('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', 'x'),
    'x-text': fc.stringMatching(/^[!-~]{1,30}$/),
    'x-data-bin': fc.base64String({ maxLength: 12 }),
    'grpc-accept-encoding': fc.constantFrom('gzip', 'identity,deflate,gzip'),
    'content-length': fc.constant('right'),
  },
  { requiredKeys: [] },
);

/** Calls that the rules of HTTP/2 allow. Those of gRPC are broken now and then. */
export const RAW_CALLS: fc.Arbitrary<RawCall> = fc
  .record({
    path: fc.constantFrom(...PATHS),
    fields: FIELDS,
    body: ENCODED,
    pieceBytes: fc.constantFrom(1, 3, 8, 1000, 1000, 100_000),
    cut: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 1, 3),
  })
  .map(({ path, fields, body, pieceBytes, cut }) => {
    const { encoding, messages, flag } = body;
    const whole = Buffer.concat(messages.map((bytes) => toFrame(bytes, { flag, encoding })));
    const content = whole.subarray(0, Math.max(0, whole.length - cut));
    const { 'content-length': length, ...others } = fields;
    return {
      path,
      fields: {
        ...{ 'content-type': 'application/grpc', te: 'trailers', 'dapr-api-token': TOKEN },
        ...others,
        ...(encoding === undefined ? {} : { 'grpc-encoding': encoding }),
        ...(length === undefined ? {} : { 'content-length': String(content.length) }),
      },
      pieces: inPieces(content, content.length > 1000 ? 100_000 : pieceBytes),
    };
  })
  .filter(({ pieces }) => Buffer.concat(pieces).length <= MOST_BYTES);

function toFrame(
  bytes: Buffer,
  { flag, encoding }: { readonly flag: number; readonly encoding: string | undefined },
): Buffer {
  const content = flag === 1 ? compress(bytes, encoding) : bytes;
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(flag);
  prefix.writeUInt32BE(content.length, 1);
  return Buffer.concat([prefix, content]);
}

function compress(bytes: Buffer, encoding: string | undefined): Buffer {
  if (encoding === 'gzip') return gzipSync(bytes);
  return encoding === 'deflate' ? deflateSync(bytes) : bytes;
}

function inPieces(bytes: Buffer, size: number): readonly Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return pieces;
}

/** A text as a field of protobuf. */
function field(number: number, text: string): Buffer {
  const length = text.length < 128 ? [text.length] : [(text.length & 127) | 128, text.length >> 7];
  return Buffer.concat([Buffer.from([number * 8 + 2, ...length]), Buffer.from(text)]);
}
