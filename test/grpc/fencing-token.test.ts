import type { Metadata } from '@grpc/grpc-js';

import { loadDaprService } from '../../src/grpc/proto-files';
import { GrpcFixture } from './grpc-fixture';

describe('a granted TryLockAlpha1', () => {
  it('carries its fencing token in its trailers, where the store gives one', async () => {
    let fencingToken: number | undefined = 42;
    const tryLock = () => Promise.resolve({ success: true, fencingToken });
    const grpc = await new GrpcFixture({ locks: { tryLock } }).start();
    const { path, requestSerialize, responseDeserialize } = loadDaprService().TryLockAlpha1!;
    const trailersOf = () =>
      new Promise<Metadata>((resolve) => {
        const request = { storeName: 's', resourceId: 'r', lockOwner: 'o', expiryInSeconds: 1 };
        grpc
          .client()
          .makeUnaryRequest(path, requestSerialize, responseDeserialize, request, () => undefined)
          .on('status', ({ metadata }) => {
            resolve(metadata);
          });
      });
    expect((await trailersOf()).get('holdfast-fencing-token')).toEqual(['42']);
    fencingToken = undefined;
    expect((await trailersOf()).get('holdfast-fencing-token')).toEqual([]);
    await grpc.stop();
  });
});
