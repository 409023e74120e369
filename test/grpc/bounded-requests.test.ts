import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
} from 'node:http2';
import { gzipSync } from 'node:zlib';

import { loadDaprService } from '../../src/grpc/proto-files';
import { message } from '../hostile/http2-frames';
import { eventually } from '../support/eventually';
import { daprPath, GrpcFixture } from './grpc-fixture';

const MIB = 1024 * 1024;
const CHECK = '/grpc.health.v1.Health/Check';
const WATCH = '/grpc.health.v1.Health/Watch';
const TOKEN = { 'dapr-api-token': 'secret' };

/** A call by hand, and what has come of it so far. */
class RawCall {
  status: string | undefined;
  details: string | undefined;
  readonly parts: Buffer[] = [];
  readonly stream: ClientHttp2Stream;

  constructor(session: ClientHttp2Session, path: string, headers: object = {}) {
    this.stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    const look = (received: IncomingHttpHeaders) => {
      this.status ??= received['grpc-status'] as string | undefined;
      this.details ??= received['grpc-message'] as string | undefined;
    };
    this.stream.on('error', () => undefined);
    this.stream.on('response', look);
    this.stream.on('trailers', look);
    this.stream.on('data', (part: Buffer) => this.parts.push(part));
  }

  /** Waits for the end, which is the server's to make where the body is not finished. */
  async end(): Promise<string | undefined> {
    if (!this.stream.closed) await once(this.stream, 'close');
    return this.status;
  }
}

/** A health request, or any message with a string in field 1. */
function named(name: string): Buffer {
  return loadDaprService().SetMetadata!.requestSerialize({ key: name });
}

describe('what a gRPC call may make the server hold', () => {
  let grpc: GrpcFixture;
  const sessions: ClientHttp2Session[] = [];
  const open = () => {
    const session = connect(`http://127.0.0.1:${grpc.port}`, { maxSessionMemory: 1000 });
    session.on('error', () => undefined);
    sessions.push(session);
    return session;
  };
  const unfinished = (session: ClientHttp2Session, path: string, headers: object = {}) => {
    const call = new RawCall(session, path, headers);
    call.stream.write(message(Buffer.alloc(4 * MIB - 1000, 8), 4 * MIB));
    return call;
  };

  beforeEach(async () => {
    grpc = await new GrpcFixture({
      token: 'secret',
      locks: { tryLock: async () => ({ success: true }) },
    }).start();
  });
  afterEach(async () => {
    for (const session of sessions.splice(0)) session.destroy();
    await grpc.stop();
  });

  it.each([
    ['no token', {}],
    ['a wrong token', { 'dapr-api-token': 'guessed' }],
  ])(
    'is nothing of its body with %s: it is refused before that has come',
    async (_what, headers) => {
      const call = new RawCall(open(), daprPath('TryLockAlpha1'), headers);
      call.stream.write(message(Buffer.alloc(10), 4 * MIB));
      expect(await call.end()).toBe('16');
    },
  );

  it('is a share of what all may hold, and given back', async () => {
    const session = open();
    const calls = Array.from({ length: 8 }, () =>
      unfinished(session, daprPath('TryLockAlpha1'), TOKEN),
    );
    await eventually(() => {
      expect(calls.filter(({ status }) => status === '8').length).toBeGreaterThanOrEqual(4);
    });
    // Another connection has a share of its own, and so has this one when its calls are gone.
    const whole = message(Buffer.alloc(3 * MIB));
    const other = new RawCall(open(), daprPath('TryLockAlpha1'), TOKEN);
    other.stream.end(whole);
    expect(await other.end()).not.toBe('8');
    for (const call of calls) call.stream.close(8);
    await Promise.all(calls.map((call) => call.end()));
    const again = new RawCall(session, daprPath('TryLockAlpha1'), TOKEN);
    again.stream.end(whole);
    expect(await again.end()).not.toBe('8');
  });

  it('counts what a compressed message unpacks to', async () => {
    const session = open();
    const packed = message(gzipSync(Buffer.alloc(4 * MIB)), undefined, 1);
    const calls = Array.from({ length: 20 }, () => {
      const headers = { ...TOKEN, 'grpc-encoding': 'gzip' };
      const call = new RawCall(session, daprPath('TryLockAlpha1'), headers);
      call.stream.end(packed);
      return call;
    });
    const statuses = await Promise.all(calls.map((call) => call.end()));
    expect(statuses).toContain('8');
    const alone = new RawCall(session, daprPath('TryLockAlpha1'), {
      ...TOKEN,
      'grpc-encoding': 'gzip',
    });
    alone.stream.end(packed);
    // It was unpacked: zeros are no message.
    expect(await alone.end()).toBe('13');
  });

  it('takes a thousand short compressed requests at a time', async () => {
    const session = open();
    const headers = { ...TOKEN, 'grpc-encoding': 'gzip' };
    const packed = message(gzipSync(Buffer.alloc(0)), undefined, 1);
    const calls = Array.from({ length: 1000 }, () => {
      const call = new RawCall(session, daprPath('TryLockAlpha1'), headers);
      call.stream.end(packed);
      return call;
    });
    const statuses = await Promise.all(calls.map((call) => call.end()));
    expect(new Set(statuses)).toEqual(new Set(['0']));
  });

  it.each([
    ['without an encoding', {}],
    ['with identity', { 'grpc-encoding': 'identity' }],
  ])('is refused with a compressed flag %s', async (_what, headers) => {
    const call = new RawCall(open(), daprPath('TryLockAlpha1'), { ...TOKEN, ...headers });
    call.stream.end(message(gzipSync(Buffer.alloc(10)), undefined, 1));
    expect(await call.end()).toBe('13');
    expect(decodeURI(call.details ?? '')).toBe(
      'grpc: compressed flag set with identity or empty encoding',
    );
  });

  it('ends with the answer, whether or not its body has', async () => {
    const call = new RawCall(open(), '/a.B/C', TOKEN);
    call.stream.write(message(Buffer.alloc(10), 1000));
    expect(await call.end()).toBe('12');
  });

  describe('by health checks', () => {
    it.each([10, 200_000, 4 * MIB - 100])('is no name of %d bytes: Check', async (length) => {
      const call = new RawCall(open(), CHECK);
      call.stream.end(message(named('n'.repeat(length))));
      expect(await call.end()).toBe('5');
      expect(decodeURI(call.details ?? '')).toMatch(/^Health status unknown for service/);
    });

    it.each([10, 200_000, 4 * MIB - 100])('is no name of %d bytes: Watch', async (length) => {
      const call = new RawCall(open(), WATCH);
      call.stream.end(message(named('n'.repeat(length))));
      await eventually(() => {
        // SERVICE_UNKNOWN
        expect(Buffer.concat(call.parts)).toEqual(message(Buffer.from([8, 3])));
      });
      expect(call.stream.closed).toBe(false);
    });

    it('is no more than a few hundred of them: the oldest go first', async () => {
      const session = open();
      const watches = Array.from({ length: 600 }, () => {
        const call = new RawCall(session, WATCH);
        call.stream.end(message(Buffer.alloc(0)));
        return call;
      });
      await eventually(() => {
        expect(watches.filter(({ stream }) => stream.closed)).toHaveLength(100);
      });
      expect(watches[0]?.stream.closed).toBe(true);
      const probe = new RawCall(open(), CHECK);
      probe.stream.end(message(Buffer.alloc(0)));
      expect(await probe.end()).toBe('0');
    });
  });
});
