import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { deflateSync, gzipSync } from 'node:zlib';

import { Random } from '../faults/random';
import { message } from '../hostile/http2-frames';
import { eventually } from '../support/eventually';
import { daprPath, GrpcFixture } from './grpc-fixture';

const MIB = 1024 * 1024;
/** Four of them are all but a little of what one connection may hold: 12 MiB. */
const LONGEST = 2.9 * MIB;
const CALLS = 2000;

type End = (stream: ClientHttp2Stream) => void;

const gzip = { 'grpc-encoding': 'gzip' };
const packed = gzipSync(Buffer.alloc(LONGEST));

/** The parts of a call, each with the headers that it takes. */
const REQUESTS: readonly (readonly [headers: object, body: Buffer])[] = [
  [{}, Buffer.alloc(0)],
  [{}, message(Buffer.alloc(0))],
  [{}, message(Buffer.alloc(20_000))],
  [{}, message(Buffer.alloc(20_000), 100_000)],
  [{}, Buffer.concat([message(Buffer.alloc(5000)), message(Buffer.alloc(5000))])],
  [{}, message(Buffer.alloc(10), LONGEST + 1)],
  [{}, message(Buffer.alloc(10), 10, 7)],
  [{ 'x-long': 'x'.repeat(8000) }, message(Buffer.alloc(10))],
  [{ 'grpc-timeout': '1m' }, message(Buffer.alloc(20_000), 100_000)],
  [gzip, message(packed, undefined, 1)],
  [gzip, message(packed.subarray(0, 1000), undefined, 1)],
  [gzip, message(Buffer.from('no gzip'), undefined, 1)],
  [gzip, message(Buffer.alloc(5000))],
  [{ 'grpc-encoding': 'deflate' }, message(deflateSync(Buffer.alloc(MIB)), undefined, 1)],
  [{ 'grpc-encoding': 'snappy' }, message(Buffer.alloc(5000), undefined, 1)],
];

const PATHS = [daprPath('TryLockAlpha1'), daprPath('SetMetadata'), '/a.B/C'];
const EXEMPT = ['/grpc.health.v1.Health/Check', '/grpc.health.v1.Health/Watch'];

/** How the client goes on. */
const ENDS: readonly End[] = [
  (stream) => {
    stream.end();
  },
  (stream) => {
    stream.close(constants.NGHTTP2_CANCEL);
  },
  (stream) => {
    setImmediate(() => {
      stream.close(constants.NGHTTP2_CANCEL);
    });
  },
  (stream) => {
    setTimeout(() => {
      stream.close(constants.NGHTTP2_CANCEL);
    }, 5);
  },
];

describe('what calls hold', () => {
  let grpc: GrpcFixture;
  const sessions = new Set<ClientHttp2Session>();
  const open = (): ClientHttp2Session => {
    const session = connect(`http://127.0.0.1:${grpc.port}`, { maxSessionMemory: 1000 });
    session.on('error', () => undefined);
    session.once('close', () => sessions.delete(session));
    sessions.add(session);
    return session;
  };
  const begin = (session: ClientHttp2Session, path: string, headers: object = {}) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    stream.on('error', () => undefined);
    return stream.resume();
  };

  beforeEach(async () => {
    grpc = await new GrpcFixture({
      maxMessageBytes: LONGEST,
      locks: { tryLock: async () => ({ success: true }) },
    }).start();
  });
  afterEach(async () => {
    for (const session of sessions) session.destroy();
    await grpc.stop();
  });

  /** Calls of every kind that end in every way, on connections that end as well. */
  const call = async (paths: readonly string[], seed: number): Promise<void> => {
    const random = new Random(seed);
    let session = open();
    for (let count = 1; count <= CALLS; count += 1) {
      if (session.closed || session.destroyed || count % 100 === 0) {
        session.destroy();
        session = open();
      }
      const [headers, body] = random.pick(REQUESTS);
      const stream = begin(session, random.pick(paths), headers);
      stream.write(body);
      random.pick(ENDS)(stream);
      if (count % 20 === 0) await nextTurn();
    }
    for (const each of sessions) each.destroy();
  };

  /** Has all but a little of everything held, by calls that are not finished: none is refused. */
  const fill = async (): Promise<number> => {
    const refused: unknown[] = [];
    const streams = [open(), open()].flatMap((session) =>
      Array.from({ length: 4 }, () => {
        const stream = begin(session, PATHS[0]!);
        stream.on('response', (headers) => refused.push(headers['grpc-status']));
        stream.write(message(Buffer.alloc(LONGEST - 1000), LONGEST));
        return stream;
      }),
    );
    await eventually(() => {
      expect(streams.every((stream) => stream.writableLength === 0)).toBe(true);
    });
    const refusals = refused.length;
    for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL);
    return refusals;
  };

  it.each([1, 2])('is given back, however they end (seed %d)', async (seed) => {
    expect(await fill()).toBe(0);
    await call([...PATHS, ...EXEMPT], seed);
    await eventually(async () => {
      expect(await fill()).toBe(0);
    });
  });
});
