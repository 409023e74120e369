import { status } from '@grpc/grpc-js';

import { eventually } from '../support/eventually';
import { type NativeClient, NativeGrpcClient, NativeHttpClient } from '../support/native-clients';
import { SidecarProcess } from '../support/sidecar-process';

const STORE = { storeName: 'lockstore' };
const TTL_MS = 60_000;

describe('a sidecar with a bound of one wait and two holds', () => {
  let sidecar: SidecarProcess;
  beforeAll(async () => {
    const bounds = ['--max-lock-waits', '1', '--max-lock-holds', '2'];
    sidecar = await SidecarProcess.start({ args: ['--resources-path', 'components', ...bounds] });
  });
  afterAll(() => sidecar.stop());

  describe.each<[string, () => NativeClient, number]>([
    ['HTTP', () => new NativeHttpClient({ port: sidecar.httpPort }), 503],
    [
      'gRPC',
      () => new NativeGrpcClient(`127.0.0.1:${sidecar.grpcPort}`),
      status.RESOURCE_EXHAUSTED,
    ],
  ])('over %s', (_transport, connect, refused) => {
    let client: NativeClient;
    beforeEach(() => {
      client = connect();
    });
    afterEach(() => {
      client.close();
    });
    const overloaded = (what: string) => ({
      status: refused,
      errorCode: 'ERR_LOCK_OVERLOADED',
      message: `the limit of ${what} is reached; nothing was done, retry later`,
    });

    it('refuses more, serves all other calls, and has room again once one has ended', async () => {
      const first = client.hold({ ...STORE, resourceId: 'a', ttlMs: TTL_MS });
      await eventually(() => {
        expect(first.told).toEqual(['held']);
      });
      const second = client.hold({ ...STORE, resourceId: 'a', ttlMs: TTL_MS, waitMs: TTL_MS });
      await eventually(() => {
        expect(second.told).toEqual(['queued']);
      });

      const third = client.hold({ ...STORE, resourceId: 'b', ttlMs: TTL_MS });
      await eventually(() => {
        expect(third.end).toMatchObject(overloaded('2 calls that hold locks'));
      });
      const named = { ...STORE, resourceId: 'c', lockOwner: 'o' };
      const request = { ...named, ttlMs: TTL_MS };
      await expect(client.call('Acquire', { ...request, waitMs: TTL_MS })).resolves.toMatchObject(
        overloaded('1 waiting calls'),
      );
      await expect(client.call('Acquire', request)).resolves.toMatchObject({
        body: { acquired: true },
      });
      await client.call('Release', named);

      first.leave();
      await eventually(() => {
        expect(second.told).toEqual(['queued', 'held']);
      });
      await expect(client.call('Acquire', { ...request, waitMs: TTL_MS })).resolves.toMatchObject({
        body: { acquired: true },
      });
      await client.call('Release', named);
      second.leave();
      await eventually(async () => {
        const { body } = await client.call('List', STORE);
        expect(body?.locks).toEqual([]);
      });
    });
  });
});
