import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2';
import { createServer } from 'node:net';

import { callOnce } from '../../src/upstream/call-once';
import { listen } from '../http/passing-fixture';
import { eventually } from '../support/eventually';
import { echo, RawUpstream, type ReceivedCall } from '../support/raw-upstream';
import { PassingFixture, STATE } from './passing-fixture';
import { frame } from './raw-http2';

const GRPC = { ':status': 200, 'content-type': 'application/grpc' };

/** Types of HTTP/2 frames (RFC 9113, 6). */
const [DATA, HEADERS, RST_STREAM, SETTINGS] = [0, 1, 3, 4] as const;

/** A frame of a stream, with the flags END_HEADERS for headers and none for others. */
function toFrame(type: number, payload: Buffer, streamId = 1): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = type === HEADERS ? 4 : 0;
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

/** A literal with the eighth name of HPACK's static table, `:status` (RFC 7541). */
function toHeadersFrame(status: string): Buffer {
  return toFrame(HEADERS, Buffer.concat([Buffer.from([8, status.length]), Buffer.from(status)]));
}

function toNumber(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** True if the frames after the preface contain the headers of a call. */
function hasCall(received: Buffer): boolean {
  for (let at = 24; at + 9 <= received.length; at += 9 + received.readUIntBE(at, 3)) {
    if (received[at + 3] === HEADERS) return true;
  }
  return false;
}

/** The answer on a stream, up to its end. */
async function readAll(stream: ClientHttp2Stream) {
  let headers: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders | undefined;
  let bytes = 0;
  stream.on('response', (received) => (headers = received));
  stream.on('trailers', (received: IncomingHttpHeaders) => (trailers = received));
  stream.on('data', (part: Buffer) => (bytes += part.length));
  await new Promise((resolve) => stream.once('close', resolve));
  return { headers, trailers, bytes, rstCode: stream.rstCode };
}

describe('a passed gRPC call in a rare form', () => {
  const passing = new PassingFixture();
  beforeEach(async () => {
    await passing.startBehind();
    await passing.start();
  });
  afterEach(() => passing.stop());

  it('has headers with the names of an object\u2019s own properties', async () => {
    const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty'].map((name) =>
      name.toLowerCase(),
    );
    const given = Object.fromEntries(names.map((name) => [name, ['a', 'b']]));
    Object.defineProperty(given, '__proto__', { value: ['a', 'b'], enumerable: true });
    const stream = passing.open(given);
    stream.end();
    await readAll(stream);
    const { rawHeaders } = passing.behind.calls[0]!;
    const received = rawHeaders.filter((_text, at) => at % 2 === 0);
    for (const name of names) expect(received.filter((each) => each === name)).toHaveLength(2);
  });

  it('has more fields than node:http2 allows by default', async () => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`x-${at}`, 'v']));
    const stream = passing.open(many);
    stream.end(frame('x'));
    expect(await readAll(stream)).toMatchObject({ bytes: 6, trailers: { 'grpc-status': '0' } });
    expect(passing.behind.calls[0]?.headers).toMatchObject(many);
  });

  it('tells the upstream how long a list of headers may be', async () => {
    const stream = passing.open();
    stream.end();
    await readAll(stream);
    const [session] = passing.behind.sessions;
    expect(session?.remoteSettings.maxHeaderListSize).toBe(144 * 1024);
  });

  it('ends with INTERNAL where the answer can not be sent on', async () => {
    const { stream, received, stop } = await openBeforeFrames([toHeadersFrame('700')]);
    const { headers } = await readAll(stream);
    expect(headers['grpc-status']).toBe('13');
    expect(decodeURI(String(headers['grpc-message']))).toMatch(/can't be passed on: .*700/);
    await eventually(() => {
      expect(received().includes(toFrame(RST_STREAM, toNumber(constants.NGHTTP2_CANCEL)))).toBe(
        true,
      );
      expect(passing.upstream.calls.inFlight).toBe(0);
    });
    stop();
  });

  it('is reset where the upstream does so in the middle of its answer', async () => {
    const { stream, stop } = await openBeforeFrames([
      toHeadersFrame('200'),
      toFrame(DATA, frame('x')),
      toFrame(RST_STREAM, toNumber(constants.NGHTTP2_INTERNAL_ERROR)),
    ]);
    expect(await readAll(stream)).toMatchObject({
      bytes: 6,
      trailers: undefined,
      rstCode: constants.NGHTTP2_INTERNAL_ERROR,
    });
    stop();
  });

  /** Begins a call before a server that answers the first call with frames by hand. */
  async function openBeforeFrames(frames: readonly Buffer[]) {
    let received = Buffer.alloc(0);
    const server = createServer((socket) => {
      socket.on('error', () => undefined).write(toFrame(SETTINGS, Buffer.alloc(0), 0));
      socket.on('data', (data) => {
        const hadCall = hasCall(received);
        received = Buffer.concat([received, data]);
        if (!hadCall && hasCall(received)) for (const each of frames) socket.write(each);
      });
    });
    const port = await listen(server);
    await passing.stop();
    await passing.startBehind();
    await passing.start({}, 10, `127.0.0.1:${port}`);
    const stream = passing.open();
    stream.end();
    return { stream, received: () => received, stop: () => server.close() };
  }

  it.each<[string, (stream: ReceivedCall['stream']) => void, object]>([
    [
      'that is no gRPC',
      (stream) => {
        stream.respond({ ':status': 404, 'content-type': 'text/html' });
        stream.end('nope');
      },
      { headers: { ':status': 404 }, trailers: undefined, bytes: 4, rstCode: 0 },
    ],
    [
      'without trailers',
      (stream) => {
        stream.respond(GRPC);
        stream.end(frame('x'));
      },
      { headers: GRPC, trailers: undefined, bytes: 6, rstCode: 0 },
    ],
    [
      'with 300 headers and trailers',
      (stream) => {
        const many = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`x-${at}`, 'v']));
        stream.respond({ ...GRPC, ...many }, { waitForTrailers: true });
        stream.once('wantTrailers', () => {
          stream.sendTrailers({ 'grpc-status': '0', ...many });
        });
        stream.end(frame('x'));
      },
      { headers: { 'x-299': 'v' }, trailers: { 'grpc-status': '0', 'x-299': 'v' }, bytes: 6 },
    ],
    [
      'after an informational one',
      (stream) => {
        stream.additionalHeaders({ ':status': 103, link: '</a>' });
        echo({ stream, headers: {}, rawHeaders: [] });
      },
      { headers: GRPC, trailers: { 'grpc-status': '0' } },
    ],
  ])('is given an answer %s as it is', async (_what, answer, expected) => {
    passing.behind.answer = ({ stream }) => {
      answer(stream);
    };
    const stream = passing.open();
    stream.end(frame('x'));
    expect(await readAll(stream)).toMatchObject(expected);
    await eventually(() => {
      expect(passing.upstream.calls.inFlight).toBe(0);
    });
  });

  /** Fields of that many bytes together. */
  const fieldsOf = (bytes: number) =>
    Object.fromEntries(
      Array.from({ length: bytes / 10_000 }, (_, at) => [`x-${at}`, 'v'.repeat(10_000)]),
    );

  it.each<[string, Record<string, string>]>([
    ['headers and trailers of 100 KB', fieldsOf(100_000)],
    // More than the 64 KiB that nghttp2 reads of a string, unless it is Huffman-coded.
    ['a header and a trailer of 70 KB each', { 'x-long-bin': 'Zm9vYmFy'.repeat(8750) }],
  ])('is given %s', async (_what, fields) => {
    passing.behind.answer = ({ stream }) => {
      stream.respond({ ...GRPC, ...fields }, { waitForTrailers: true });
      stream.once('wantTrailers', () => {
        stream.sendTrailers({ 'grpc-status': '0', ...fields });
      });
      stream.end(frame('x'));
    };
    const stream = passing.open();
    stream.end(frame('x'));
    const { headers, trailers } = await readAll(stream);
    expect(headers).toMatchObject(fields);
    expect(trailers).toMatchObject({ 'grpc-status': '0', ...fields });
  });

  it('ends with UNAVAILABLE where its trailers are longer than node:http2 reads', async () => {
    passing.behind.answer = ({ stream }) => {
      stream.respond(GRPC, { waitForTrailers: true });
      stream.once('wantTrailers', () => {
        stream.sendTrailers({ 'grpc-status': '0', ...fieldsOf(300_000) });
      });
      stream.end(frame('x'));
    };
    const stream = passing.open();
    stream.end(frame('x'));
    const { trailers } = await readAll(stream);
    expect(trailers).toMatchObject({ 'grpc-status': '14' });
    expect(decodeURI(String(trailers?.['grpc-message']))).toContain(
      'its headers or trailers are too long (allowed: 144 KiB, compressed); it is not known',
    );
  });

  it('ends with UNAVAILABLE where the upstream goes away in its middle (GOAWAY)', async () => {
    passing.behind.answer = ({ stream }) => {
      stream.respond(GRPC);
      stream.write(frame('x'), () => {
        stream.session?.goaway(constants.NGHTTP2_INTERNAL_ERROR);
      });
    };
    const stream = passing.open();
    stream.end();
    expect((await readAll(stream)).trailers).toMatchObject({ 'grpc-status': '14' });
  });

  it('arrives in frames of one byte', async () => {
    const stream = passing.open();
    for (const byte of frame('hello')) stream.write(Buffer.from([byte]));
    stream.end();
    expect(await readAll(stream)).toMatchObject({ bytes: 10, trailers: { 'grpc-status': '0' } });
  });

  it('is answered before a long upload has ended, and is told to stop', async () => {
    passing.behind.answer = ({ stream }) => {
      stream.respond({ ...GRPC, 'grpc-status': '8' }, { endStream: true });
    };
    const stream = passing.open();
    stream.write(Buffer.alloc(2_000_000));
    expect(await readAll(stream)).toMatchObject({ headers: { 'grpc-status': '8' }, rstCode: 0 });
    await eventually(() => {
      expect(passing.upstream.calls.inFlight).toBe(0);
    });
  });
});

describe('the room for passed gRPC calls', () => {
  const passing = new PassingFixture();
  const open = (count: number) => Array.from({ length: count }, () => passing.open());
  const cancel = (streams: readonly ClientHttp2Stream[]) => {
    for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL);
  };
  beforeEach(() => passing.startBehind());
  afterEach(() => passing.stop());

  it('beyond all connections is that of the first stream to end, on whichever it was', async () => {
    await passing.behind.stop();
    passing.behind = await new RawUpstream(() => undefined, { maxStreams: 2 }).start();
    await passing.start();
    const streams = open(48);
    await eventually(() => {
      expect(passing.behind.calls).toHaveLength(32);
    });
    expect(passing.behind.connections).toBe(16);
    // By the upstream: for a server on Node 26, a stream that its client cancelled still counts when the next one comes.
    for (const { stream } of passing.behind.calls.slice(0, 16)) {
      stream.respond({ 'grpc-status': '0' }, { endStream: true });
    }
    await eventually(() => {
      expect(passing.behind.calls).toHaveLength(48);
    });
    expect(passing.behind.connections).toBe(16);
    cancel(streams);
    await eventually(() => {
      expect(passing.upstream.calls.inFlight).toBe(0);
    });
  });

  it('is beside that of lock calls on a connection', async () => {
    passing.behind.answer = () => undefined;
    await passing.start({ maxConcurrentCalls: 8 });
    const first = open(1);
    await eventually(() => {
      expect(passing.session.remoteSettings.maxConcurrentStreams).toBeGreaterThan(1000);
    });
    const streams = [...first, ...open(100)];
    await eventually(() => {
      expect(passing.behind.calls).toHaveLength(101);
    });
    expect((await passing.grpc.call('TryLockAlpha1', {})).response).toBeDefined();
    cancel(streams);
  });

  it('is not taken for longer than it may be by a call of this sidecar itself', async () => {
    passing.behind.answer = () => undefined;
    await passing.start();
    const pool = passing.upstream.sessions!;
    const call = { path: STATE, message: Buffer.alloc(0), afterMs: 50 };
    await expect(callOnce(pool, call)).rejects.toThrow('it did not answer in time');
    await eventually(() => {
      expect(passing.behind.calls[0]?.stream.closed).toBe(true);
    });
  });
});
