import { status } from '@grpc/grpc-js';
import { parse } from 'protobufjs';

import { lockErrors } from '../../src/lock/lock-errors';
import type { Caller, TryLockRequest, UnlockRequest } from '../../src/lock/lock-service';
import { daprPath, GrpcFixture } from './grpc-fixture';

/** googleapis google/rpc/status.proto and error_details.proto, as far as a refusal has them. */
const types = parse(`syntax = "proto3";
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message Any { string type_url = 1; bytes value = 2; }
  message RetryInfo { Duration retry_delay = 1; }
  message Duration { int64 seconds = 1; int32 nanos = 2; }`).root;

describe('the Dapr methods over gRPC', () => {
  let grpc: GrpcFixture;
  const tryLock = jest.fn<Promise<{ success: boolean }>, [TryLockRequest, Caller]>();
  const unlock = jest.fn<Promise<{ status: 0 | 1 | 2 }>, [UnlockRequest, Caller]>();
  const request = { storeName: 's', resourceId: 'r', lockOwner: 'o', expiryInSeconds: 5 };

  beforeAll(async () => {
    grpc = await new GrpcFixture({ locks: { tryLock, unlock } }).start();
  });
  afterAll(() => grpc.stop());
  beforeEach(() => {
    tryLock.mockReset().mockResolvedValue({ success: true });
    unlock.mockReset().mockResolvedValue({ status: 0 });
  });

  describe('TryLockAlpha1', () => {
    it('hands the four fields to the lock service', async () => {
      await grpc.call('TryLockAlpha1', request);
      expect(tryLock.mock.calls[0]![0]).toEqual(request);
    });

    it('reads fields that were not sent as zero values', async () => {
      await grpc.callBytes(daprPath('TryLockAlpha1'), Buffer.alloc(0));
      expect(tryLock.mock.calls[0]![0]).toEqual({
        storeName: '',
        resourceId: '',
        lockOwner: '',
        expiryInSeconds: 0,
      });
    });

    it.each([true, false])('answers success %s', async (success) => {
      tryLock.mockResolvedValue({ success });
      const { response } = await grpc.call('TryLockAlpha1', request);
      expect(response).toEqual({ success });
    });

    it('answers success false as an empty message, as proto3 has it', async () => {
      tryLock.mockResolvedValue({ success: false });
      const { response } = await grpc.callBytes(daprPath('TryLockAlpha1'), Buffer.alloc(0));
      expect(response).toEqual(Buffer.alloc(0));
    });
  });

  describe('UnlockAlpha1', () => {
    it.each([0, 1, 2] as const)('answers status %i', async (code) => {
      unlock.mockResolvedValue({ status: code });
      const { response } = await grpc.call('UnlockAlpha1', request);
      expect(response).toEqual({ status: code });
    });
  });

  describe('an error of the catalogue', () => {
    it.each([
      { code: status.INVALID_ARGUMENT, error: lockErrors.expiryNotPositive('s') },
      { code: status.FAILED_PRECONDITION, error: lockErrors.storesNotConfigured() },
      { code: status.INTERNAL, error: lockErrors.tryLockFailed('Redis is away', undefined) },
    ])('is answered with its own code $code and message', async ({ code, error }) => {
      tryLock.mockRejectedValue(error);
      const answer = await grpc.call('TryLockAlpha1', request);
      expect(answer).toMatchObject({ code, details: error.message });
    });

    it('is cut where the message would not fit the trailers that clients accept', async () => {
      tryLock.mockRejectedValue(lockErrors.storeNotFound('鎖'.repeat(60_000)));
      const { code, details } = await grpc.call('TryLockAlpha1', request);
      expect(code).toBe(status.INVALID_ARGUMENT);
      expect(details).toMatch(/^lock store 鎖+…$/);
      expect(encodeURI(details!).length).toBeLessThan(4200);
    });
  });

  describe('a call beyond the bound', () => {
    it('is answered RESOURCE_EXHAUSTED with the pause before the next try', async () => {
      const error = lockErrors.overloaded(1000);
      tryLock.mockRejectedValue(error);
      const { code, details, trailers } = await grpc.call('TryLockAlpha1', request);
      expect([code, details]).toEqual([status.RESOURCE_EXHAUSTED, error.message]);
      const sent = types
        .lookupType('Status')
        .decode(trailers!['grpc-status-details-bin'] as Buffer);
      expect(sent.toJSON()).toEqual({
        code: status.RESOURCE_EXHAUSTED,
        message: error.message,
        details: [
          {
            typeUrl: 'type.googleapis.com/google.rpc.RetryInfo',
            value: Buffer.from(
              types
                .lookupType('RetryInfo')
                .encode({ retryDelay: { seconds: 1 } })
                .finish(),
            ).toString('base64'),
          },
        ],
      });
    });
  });

  describe('a defect', () => {
    it('is answered INTERNAL without its own text', async () => {
      tryLock.mockRejectedValue(new TypeError('secret detail'));
      const answer = await grpc.call('TryLockAlpha1', request);
      expect(answer).toMatchObject({ code: status.INTERNAL, details: 'internal error' });
    });

    it('is logged', async () => {
      tryLock.mockRejectedValue(new TypeError('the reason'));
      await grpc.call('TryLockAlpha1', request);
      expect(grpc.logger.messages('error').at(-1)).toContain('the reason');
    });

    it('is answered where the handler throws instead of rejecting', async () => {
      tryLock.mockImplementation(() => {
        throw new RangeError('thrown');
      });
      const answer = await grpc.call('TryLockAlpha1', request);
      expect(answer.code).toBe(status.INTERNAL);
    });
  });

  describe('a request that is no message', () => {
    // Field 2 (resource_id), three bytes: a lone 0xff is no UTF-8.
    const badUtf8 = Buffer.from([0x12, 0x03, 0x61, 0xff, 0x62]);

    it('is refused in the words of daprd where a string is not UTF-8', async () => {
      const answer = await grpc.callBytes(daprPath('TryLockAlpha1'), badUtf8);
      expect(answer).toMatchObject({
        code: status.INTERNAL,
        details: 'grpc: error unmarshalling request: string field contains invalid UTF-8',
      });
    });

    it.each(['TryLockAlpha1', 'UnlockAlpha1'])('reaches no lock code by %s', async (name) => {
      await grpc.callBytes(daprPath(name), badUtf8);
      expect([tryLock.mock.calls, unlock.mock.calls]).toEqual([[], []]);
    });

    it('is refused where it ends in mid-field', async () => {
      const answer = await grpc.callBytes(daprPath('TryLockAlpha1'), Buffer.from([0x12, 0x7f]));
      expect(answer.code).toBe(status.INTERNAL);
      expect(answer.details).toMatch(/^grpc: error unmarshalling request: proto: /);
    });

    it('is taken where an unknown field holds such bytes', async () => {
      // Field 15, length-delimited.
      const answer = await grpc.callBytes(
        daprPath('TryLockAlpha1'),
        Buffer.from([0x7a, 0x02, 0xff, 0xfe]),
      );
      expect(answer.code).toBeUndefined();
    });
  });

  describe('a caller that does not wait', () => {
    const waitForAbort = (_request: TryLockRequest, { signal }: Caller) =>
      new Promise<{ success: boolean }>((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(lockErrors.tryLockFailed('aborted', undefined));
        });
      });

    it('gets DEADLINE_EXCEEDED, and the call is aborted', async () => {
      let aborted: Promise<unknown> | undefined;
      tryLock.mockImplementation((...call) => {
        const answer = waitForAbort(...call);
        aborted = answer.catch((error: unknown) => error);
        return answer;
      });
      const answer = await grpc.call('TryLockAlpha1', request, { deadline: Date.now() + 100 });
      expect(answer.code).toBe(status.DEADLINE_EXCEEDED);
      await expect(aborted).resolves.toMatchObject({ errorCode: 'ERR_TRY_LOCK' });
    });
  });

  describe('GetMetadata', () => {
    it('describes the sidecar', async () => {
      grpc.sidecar.metadata.setComponent({ name: 'l', type: 'lock.redis', version: 'v1' });
      const { response } = await grpc.call('GetMetadata', {});
      expect(response).toMatchObject({
        id: 'myapp',
        runtimeVersion: '1.18.3',
        registeredComponents: [{ name: 'l', type: 'lock.redis', version: 'v1' }],
        extendedMetadata: { daprRuntimeVersion: '1.18.3', holdfastVersion: '0.1.0' },
        appConnectionProperties: { protocol: 'http', channelAddress: '127.0.0.1' },
        actorRuntime: { runtimeStatus: 1, placement: 'placement: disconnected' },
      });
    });
  });

  describe('SetMetadata', () => {
    it('adds an extended entry', async () => {
      await grpc.call('SetMetadata', { key: 'cliPID', value: '7' });
      expect(grpc.sidecar.metadata.view().extended).toMatchObject({ cliPID: '7' });
    });

    it('says that there is no room for an entry', async () => {
      await expect(
        grpc.call('SetMetadata', { key: 'k', value: 'x'.repeat(100_000) }),
      ).resolves.toMatchObject({
        code: status.RESOURCE_EXHAUSTED,
        details: expect.stringContaining(
          'the limit of 65536 bytes for all metadata entries is reached',
        ) as string,
      });
    });
  });

  describe('Shutdown', () => {
    it.each([
      [{}, false],
      [{ 'dapr-force-shutdown': 'true' }, true],
    ])('with metadata %j asks for the end, forced: %s', async (metadata, force) => {
      const answer = await grpc.call('Shutdown', {}, { metadata });
      expect(answer.response).toEqual({});
      expect(grpc.sidecar.shutdowns.at(-1)).toEqual({ force });
    });
  });
});
