import { status } from '@grpc/grpc-js';
import { parse } from 'protobufjs';

import { loadNativeService } from '../../src/grpc/proto-files';
import type { LockError } from '../../src/lock/lock-errors';
import { lockErrors } from '../../src/lock/lock-errors';
import type { NativeLockService } from '../../src/lock/native-lock-service';
import { createFakeNativeLocks } from '../support/fake-lock-service';
import { GrpcFixture, type UnaryAnswer } from './grpc-fixture';

/** googleapis google/rpc/status.proto and error_details.proto, as far as an error has them. */
const types = parse(`syntax = "proto3";
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message Any { string type_url = 1; bytes value = 2; }
  message ErrorInfo { string reason = 1; string domain = 2; map<string, string> metadata = 3; }
  message RetryInfo { Duration retry_delay = 1; }
  message Duration { int64 seconds = 1; int32 nanos = 2; }`).root;

/** The details of an answer as JSON, by the last part of their type. */
function detailsOf({ code, details: message, trailers }: UnaryAnswer): Record<string, unknown> {
  const bytes = trailers!['grpc-status-details-bin'] as Buffer;
  const sent = types.lookupType('Status').decode(bytes) as unknown as {
    readonly code: number;
    readonly message: string;
    readonly details: readonly { readonly typeUrl: string; readonly value: Buffer }[];
  };
  expect(sent).toMatchObject({ code, message });
  return Object.fromEntries(
    sent.details.map(({ typeUrl, value }) => {
      const name = typeUrl.replace('type.googleapis.com/google.rpc.', '');
      return [name, types.lookupType(name).decode(value).toJSON()];
    }),
  );
}

const ERRORS: readonly LockError[] = [
  lockErrors.storesNotConfigured(),
  lockErrors.storeNotFound('s'),
  lockErrors.valueNotAllowed('s', 'ttlMs is 9'),
  lockErrors.unsupported('s', 'no TIME'),
  lockErrors.storeUnavailable('acquire lock', 'away', undefined),
  lockErrors.storeFailed('acquire lock', 'no', undefined),
  lockErrors.outcomeUnknown('acquire lock', 'lost', undefined),
  lockErrors.stopping('nothing is held'),
  lockErrors.overloaded(1000),
  lockErrors.tooManyWaits(10_000),
  lockErrors.tooManyHolds(10_000),
];

describe('an error of the native API over gRPC', () => {
  let grpc: GrpcFixture;
  let error: Error;
  const methods = loadNativeService();

  beforeAll(async () => {
    const fail = () => Promise.reject(error);
    const hold: NativeLockService['hold'] = (_request, _caller, sink) => {
      queueMicrotask(() => {
        sink.ended(error);
      });
    };
    const nativeLocks = createFakeNativeLocks({ acquire: fail, hold, list: fail });
    const locks = { tryLock: fail };
    grpc = await new GrpcFixture({ nativeLocks, locks }).start();
  });
  afterAll(() => grpc.stop());

  const call = (name: string, bytes = Buffer.alloc(0)) =>
    grpc.callBytes(methods[name]!.path, bytes);

  it.each(
    ERRORS.flatMap((each) => ['Acquire', 'Hold', 'List'].map((name) => [each, name] as const)),
  )('tells programs the code of %s by an ErrorInfo (%s)', async (each, name) => {
    error = each;
    const { errorCode: reason, grpcCode, retryAfterSeconds } = each;
    const answer = await call(name);
    expect([answer.code, answer.details]).toEqual([status[grpcCode], each.message]);
    expect(detailsOf(answer)).toEqual({
      ErrorInfo: { reason, domain: 'dapr.io' },
      ...(retryAfterSeconds === undefined
        ? {}
        : { RetryInfo: { retryDelay: { seconds: String(retryAfterSeconds) } } }),
    });
  });

  it('has one where the request is no message, and where it is a defect', async () => {
    const malformed = await call('Acquire', Buffer.from([0x0a, 0x05]));
    expect(detailsOf(malformed)).toMatchObject({ ErrorInfo: { reason: 'ERR_MALFORMED_REQUEST' } });
    error = new TypeError('secret');
    const defect = await call('Acquire');
    expect(defect.details).toBe('internal error');
    expect(detailsOf(defect)).toMatchObject({ ErrorInfo: { reason: 'ERR_INTERNAL' } });
  });

  it('is cut where it would not fit the trailers that clients accept', async () => {
    error = lockErrors.storeNotFound('鎖'.repeat(60_000));
    const answer = await call('Acquire');
    expect(answer.details).toMatch(/^lock store 鎖+…$/);
    const { length } = answer.trailers!['grpc-status-details-bin'] as Buffer;
    expect(encodeURI(answer.details!).length + (length * 4) / 3).toBeLessThan(8000);
    expect(detailsOf(answer)).toMatchObject({ ErrorInfo: { reason: 'ERR_LOCK_STORE_NOT_FOUND' } });
  });

  it("is unlike one of Dapr's methods, which stay as daprd's", async () => {
    error = lockErrors.storeNotFound('s');
    const answer = await grpc.call('TryLockAlpha1', {});
    expect(Object.keys(answer.trailers!)).not.toContain('grpc-status-details-bin');
  });
});
