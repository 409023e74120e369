import { once } from 'node:events';
import { connect as connectHttp2, constants } from 'node:http2';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';

import { status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath as healthProtoPath, service as healthService } from 'grpc-health-check';

import { DAPR_SERVICE, loadErrorDetailTypes } from '../../src/grpc/proto-files';
import type { LockService } from '../../src/lock/lock-service';
import { eventually } from '../support/eventually';
import { daprPath, GrpcFixture } from './grpc-fixture';
import { frame, rawCall } from './raw-http2';

const HEALTH_CHECK = '/grpc.health.v1.Health/Check';

describe('the gRPC server', () => {
  let grpc: GrpcFixture;
  afterEach(() => grpc.stop());

  describe('without a token of its own', () => {
    beforeEach(async () => {
      grpc = await new GrpcFixture().start();
    });

    it('ignores whatever token a call carries', async () => {
      const answer = await grpc.call('GetMetadata', {}, { metadata: { 'dapr-api-token': 'x' } });
      expect(answer.code).toBeUndefined();
    });

    it.each([
      daprPath('SaveState'),
      daprPath('SubscribeTopicEventsAlpha1'),
      '/some.other.Service/Method',
      '/nonsense',
    ])('answers %s UNIMPLEMENTED and names it', async (path) => {
      const answer = await grpc.callBytes(path, Buffer.from('anything'));
      expect(answer).toMatchObject({
        code: status.UNIMPLEMENTED,
        details: `Holdfast does not serve ${path}`,
      });
    });

    it.each(['application/grpc', 'application/grpc+proto'])('takes %s', async (type) => {
      const { headers, trailers } = await rawCall(grpc.port, {
        ':path': daprPath('GetMetadata'),
        'content-type': type,
      });
      expect([headers[':status'], trailers['grpc-status']]).toEqual([200, '0']);
    });

    it('refuses other content types as no gRPC at all', async () => {
      const { headers } = await rawCall(grpc.port, {
        ':path': daprPath('GetMetadata'),
        'content-type': 'application/json',
      });
      expect(headers[':status']).toBe(415);
    });

    it('answers pings on a connection without streams', async () => {
      const session = connectHttp2(`http://127.0.0.1:${grpc.port}`);
      const goaway = jest.fn();
      session.on('goaway', goaway);
      for (let count = 0; count < 50; count += 1) {
        await new Promise((resolve) => session.ping(resolve));
      }
      expect(goaway).not.toHaveBeenCalled();
      session.close();
    });
  });

  describe('with a token', () => {
    const WRONG = [
      { given: {}, reason: 'missing api token in request metadata' },
      { given: { 'dapr-api-token': 'no' }, reason: 'authentication error: api token mismatch' },
    ];
    beforeEach(async () => {
      grpc = await new GrpcFixture({ token: 'sesame' }).start();
    });

    it('serves a call that carries it', async () => {
      const metadata = { 'dapr-api-token': 'sesame' };
      const answer = await grpc.call('GetMetadata', {}, { metadata });
      expect(answer.code).toBeUndefined();
    });

    it.each(WRONG)('refuses $given with its reason', async ({ given, reason }) => {
      const answer = await grpc.call('TryLockAlpha1', {}, { metadata: given });
      expect(answer).toMatchObject({ code: status.UNAUTHENTICATED, details: 'Unauthorized' });
      const details = decodeDetails(answer.trailers!['grpc-status-details-bin'] as Buffer);
      expect(details).toEqual({
        reason: 'Unauthorized',
        domain: 'dapr.io',
        metadata: { 'http.code': '401', 'http.error_message': reason },
      });
    });

    it.each([daprPath('SaveState'), '/some.other.Service/Method'])(
      'refuses a call of %s alike, though it is not served',
      async (path) => {
        const answer = await grpc.callBytes(path, Buffer.alloc(0));
        expect(answer.code).toBe(status.UNAUTHENTICATED);
      },
    );

    it('lets health checks through', async () => {
      const answer = await grpc.callBytes(HEALTH_CHECK, Buffer.alloc(0));
      expect(answer.code).toBeUndefined();
    });
  });

  describe('with a message limit', () => {
    const tryLock = jest.fn<ReturnType<LockService['tryLock']>, []>(() =>
      Promise.resolve({ success: true }),
    );
    // A resource of 90 bytes and its two bytes of header fill a message of 92.
    const message = (size: number) =>
      Buffer.concat([Buffer.from([0x12, size - 2]), Buffer.alloc(size - 2, 'x')]);

    beforeEach(async () => {
      grpc = await new GrpcFixture({ maxMessageBytes: 92, locks: { tryLock } }).start();
    });

    it('takes a message of exactly that size', async () => {
      const answer = await grpc.callBytes(daprPath('TryLockAlpha1'), message(92));
      expect(answer.code).toBeUndefined();
    });

    it('refuses one byte more with RESOURCE_EXHAUSTED', async () => {
      const answer = await grpc.callBytes(daprPath('TryLockAlpha1'), message(93));
      expect(answer.code).toBe(status.RESOURCE_EXHAUSTED);
    });
  });

  describe('a call whose deadline is further away than a timer can count', () => {
    // grpc-js keeps the low 32 bits of the milliseconds, and 30 days become a negative time.
    it.each(['2592000S', '99999999H'])('is served with grpc-timeout %s', async (timeout) => {
      const slowly = () => setTimeout(50, { success: true });
      grpc = await new GrpcFixture({ locks: { tryLock: slowly } }).start();
      const { headers, trailers } = await rawCall(grpc.port, {
        ':path': daprPath('TryLockAlpha1'),
        'grpc-timeout': timeout,
      });
      expect(trailers['grpc-status'] ?? headers['grpc-status']).toBe('0');
    });
  });

  describe('health', () => {
    beforeEach(async () => {
      grpc = await new GrpcFixture().start();
    });

    it.each(['', DAPR_SERVICE])('says that service "%s" is serving', async (service) => {
      const answer = await checkHealth(grpc, service);
      expect(answer).toEqual({ status: 'SERVING' });
    });

    it('tells a watcher that the server stops, and then lets the watch end', async () => {
      const updates: unknown[] = [];
      const watch = grpc
        .client()
        .makeServerStreamRequest(
          '/grpc.health.v1.Health/Watch',
          healthService.Watch!.requestSerialize,
          healthService.Watch!.responseDeserialize,
          { service: DAPR_SERVICE },
        );
      const ended = new Promise((resolve) => watch.on('end', resolve));
      const serving = new Promise((resolve) => watch.once('data', resolve));
      watch.on('data', (update: { status: string }) => updates.push(update.status));
      await serving;
      await Promise.all([grpc.server.close(), ended]);
      expect(updates).toEqual(['SERVING', 'NOT_SERVING']);
    });
  });

  describe('closing', () => {
    it('lets a call in flight finish', async () => {
      let finish: (() => void) | undefined;
      const started = new Promise<void>((resolve) => {
        grpc = new GrpcFixture({
          locks: {
            tryLock: () =>
              new Promise((answer) => {
                finish = () => {
                  answer({ success: true });
                };
                resolve();
              }),
          },
        });
      });
      await grpc.start();
      const call = grpc.call('TryLockAlpha1', {});
      await started;
      const closed = grpc.server.close();
      finish!();
      await expect(call).resolves.toMatchObject({ response: { success: true } });
      await closed;
    });

    it.each([constants.NGHTTP2_NO_ERROR, constants.NGHTTP2_CANCEL])(
      'does not wait for the rest of a request that was answered before its end (reset with %d)',
      async (code) => {
        grpc = await new GrpcFixture().start();
        const session = connectHttp2(`http://127.0.0.1:${grpc.port}`);
        session.on('error', () => undefined);
        const stream = session.request({
          ':method': 'POST',
          ':path': daprPath('TryLockAlpha1'),
          'content-type': 'application/grpc',
        });
        // The second message is refused, and nobody reads what follows.
        stream.on('error', () => undefined).resume();
        stream.write(Buffer.concat([frame('x'), frame('y'), Buffer.alloc(40_000)]));
        await once(stream, 'response');
        stream.close(code);
        let isClosed = false;
        void grpc.server.close().then(() => {
          isClosed = true;
        });
        await eventually(() => {
          expect(isClosed).toBe(true);
        });
        session.destroy();
      },
    );
  });

  describe('a port that is taken', () => {
    it('rejects with the reason', async () => {
      grpc = new GrpcFixture();
      const other = createTcpServer().listen(0, '127.0.0.1');
      await new Promise((resolve) => other.once('listening', resolve));
      const { port } = other.address() as AddressInfo;
      await expect(grpc.server.listen({ host: '127.0.0.1', port })).rejects.toThrow('EADDRINUSE');
      other.close();
    });
  });
});

async function checkHealth(grpc: GrpcFixture, service: string): Promise<unknown> {
  const { Check: check } = healthService;
  const { response } = await grpc.callBytes(HEALTH_CHECK, check!.requestSerialize({ service }));
  const types = loadSync(healthProtoPath, { enums: String });
  const { responseDeserialize } = (types['grpc.health.v1.Health'] as typeof healthService).Check!;
  return responseDeserialize(response as Buffer);
}

function decodeDetails(bytes: Buffer): unknown {
  const types = loadErrorDetailTypes();
  const { details } = types.status.deserialize(bytes) as { details: { value: Buffer }[] };
  return types.errorInfo.deserialize(details[0]!.value);
}
