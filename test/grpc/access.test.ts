import { status } from '@grpc/grpc-js';

import { loadErrorDetailTypes } from '../../src/grpc/proto-files';
import { GrpcFixture } from './grpc-fixture';

const LOCK = { storeName: 's', resourceId: 'r', lockOwner: 'o', expiryInSeconds: 5 };

describe('what the configuration allows over gRPC', () => {
  let grpc: GrpcFixture;
  beforeAll(async () => {
    grpc = await new GrpcFixture({
      token: 'hush',
      isAllowed: (group, protocol) => !(group === 'lock' && protocol === 'grpc'),
    }).start();
  });
  afterAll(() => grpc.stop());

  it('is served', async () => {
    const answer = await grpc.call('UnlockAlpha1', LOCK, {
      metadata: { 'dapr-api-token': 'hush' },
    });
    expect(answer.code).toBeUndefined();
  });

  it('and the rest is not implemented, before the token is looked at, as in daprd', async () => {
    const answer = await grpc.call('TryLockAlpha1', LOCK);
    expect(answer).toMatchObject({ code: status.UNIMPLEMENTED, details: 'Not Implemented' });
    const types = loadErrorDetailTypes();
    const decoded = types.status.deserialize(
      answer.trailers!['grpc-status-details-bin'] as Buffer,
    ) as { details: { value: Buffer }[] };
    expect(types.errorInfo.deserialize(decoded.details[0]!.value)).toMatchObject({
      reason: 'Not Implemented',
      domain: 'dapr.io',
      metadata: {
        'http.code': '501',
        'http.error_message': 'requested endpoint is not available',
      },
    });
  });
});
