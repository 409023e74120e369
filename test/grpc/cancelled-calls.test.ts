import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { type Socket } from 'node:net';

import { loadDaprService } from '../../src/grpc/proto-files';
import type { Caller } from '../../src/lock/lock-service';
import { body, callHeaders, message, openHttp2, reset } from '../hostile/http2-frames';
import { eventually } from '../support/eventually';
import { untilCut } from '../support/until-cut';
import { daprPath, GrpcFixture, TRANSPORT } from './grpc-fixture';
import { frame } from './raw-http2';

describe('a connection on which many calls are cancelled', () => {
  let grpc: GrpcFixture;
  let session: ClientHttp2Session;
  const waiting = new Map<string, (granted: boolean) => void>();

  const begin = (resourceId: string): ClientHttp2Stream => {
    const message = loadDaprService().TryLockAlpha1!.requestSerialize({
      storeName: 's',
      resourceId,
      lockOwner: 'o',
      expiryInSeconds: 60,
    });
    const stream = session.request({
      ':method': 'POST',
      ':path': daprPath('TryLockAlpha1'),
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', () => undefined);
    stream.end(frame(message));
    return stream;
  };

  beforeEach(async () => {
    waiting.clear();
    const tryLock = async ({ resourceId }: { resourceId: string }, { signal }: Caller) => {
      const success = await new Promise<boolean>((resolve) => {
        waiting.set(resourceId, resolve);
        signal.addEventListener('abort', () => {
          waiting.delete(resourceId);
          resolve(false);
        });
      });
      return { success };
    };
    grpc = await new GrpcFixture({ locks: { tryLock } }).start();
    session = connect(`http://127.0.0.1:${grpc.port}`);
    session.on('error', () => undefined);
    await once(session, 'remoteSettings');
  });
  afterEach(async () => {
    session.destroy();
    await grpc.stop();
  });

  /** As by deadlines while the store is slow: the sidecar has begun each of them. */
  const cancel = async (calls: number): Promise<void> => {
    const streams = Array.from({ length: calls }, (_, index) => begin(`cancelled-${index}`));
    await eventually(() => {
      expect(waiting.size).toBeGreaterThanOrEqual(calls);
    });
    for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL);
    await eventually(() => {
      expect(waiting.size).toBeLessThanOrEqual(1);
    });
  };

  // nghttp2 would close it after a thousand of them. Our own HTTP/2 lets deadlines pass.
  const isSentAway = TRANSPORT === 'grpc-js';
  const fate = isSentAway ? 'is told to go in peace' : 'stays as it is';
  it(`${fate}, and answers the calls that nobody cancelled`, async () => {
    const goaways: number[] = [];
    session.on('goaway', (code: number) => goaways.push(code));
    const innocent = begin('innocent');
    let trailers: object | undefined;
    innocent.on('trailers', (received: object) => {
      trailers = received;
    });
    innocent.resume();
    await cancel(300);
    await eventually(() => {
      expect(goaways.includes(constants.NGHTTP2_NO_ERROR)).toBe(isSentAway);
    });
    expect(waiting.has('innocent')).toBe(true);
    waiting.get('innocent')?.(true);
    await eventually(() => {
      expect(trailers).toMatchObject({ 'grpc-status': '0' });
    });
  });

  it('stays as it is where a batch is begun and cancelled in one breath', async () => {
    const innocent = begin('innocent');
    innocent.resume();
    await eventually(() => {
      expect(waiting.has('innocent')).toBe(true);
    });
    const streams = Array.from({ length: 200 }, (_, index) => begin(`batch-${index}`));
    await eventually(() => {
      expect(streams.some(({ pending }) => pending)).toBe(false);
    });
    for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL);
    await eventually(() => {
      expect(streams.every(({ destroyed }) => destroyed)).toBe(true);
    });
    const [trailers] = await Promise.all([
      once(innocent, 'trailers'),
      eventually(() => {
        expect(waiting.size).toBe(1);
        waiting.get('innocent')?.(true);
      }),
    ]);
    expect(trailers[0]).toMatchObject({ 'grpc-status': '0' });
    expect(session.closed).toBe(false);
  });

  it('stays as it is where a few hundred were', async () => {
    await cancel(200);
    const answered = begin('innocent');
    answered.resume();
    await eventually(() => {
      expect(waiting.has('innocent')).toBe(true);
    });
    waiting.get('innocent')?.(true);
    await once(answered, 'close');
    expect(session.closed).toBe(false);
  });
});

describe('a connection on which calls are begun and cancelled in one breath', () => {
  let grpc: GrpcFixture;
  let socket: Socket;

  beforeEach(async () => {
    grpc = await new GrpcFixture({ token: 'secret' }).start();
    socket = await openHttp2(grpc.port);
  });
  afterEach(async () => {
    socket.destroy();
    await grpc.stop();
  });

  it.each([
    ['lock calls without a token', 400, daprPath('TryLockAlpha1'), {}],
    ['lock calls with the token', 4000, daprPath('TryLockAlpha1'), { 'dapr-api-token': 'secret' }],
    ['health checks', 400, '/grpc.health.v1.Health/Check', {}],
    ['what is no gRPC', 400, '/', { 'content-type': 'text/plain' }],
  ])('is cut: %s', async (_what, length, path, headers) => {
    const closed = untilCut(socket);
    const calls = Array.from({ length }, (_, index) => [
      callHeaders(2 * index + 1, path, headers),
      reset(2 * index + 1),
    ]);
    socket.write(Buffer.concat(calls.flat()));
    await closed;
  });

  it('is cut though other calls on it are half answered, and others are served', async () => {
    const watch = '/grpc.health.v1.Health/Watch';
    const closed = untilCut(socket);
    const begun = Array.from({ length: 400 }, (_, index) => [
      callHeaders(2 * index + 1, watch),
      body(2 * index + 1, message(Buffer.alloc(0)), true),
      index < 100 ? Buffer.alloc(0) : reset(2 * index + 1),
    ]);
    socket.write(Buffer.concat(begun.flat()));
    await closed;
    expect(await grpc.callBytes('/grpc.health.v1.Health/Check', Buffer.alloc(0))).toMatchObject({
      response: Buffer.from([8, 1]),
    });
  });
});
