import { CommunicationProtocolEnum, DaprClient, LogLevel } from '@dapr/dapr';

import { writeComponent } from '../support/component-files';
import { eventually } from '../support/eventually';
import { type RedisServer, startRedisServer } from '../support/redis-server';
import { SidecarProcess } from '../support/sidecar-process';

const { HTTP, GRPC } = CommunicationProtocolEnum;

/** The SDK's LockStatus, which its package does not export. */
const LockStatus = { Success: 0, LockDoesNotExist: 1, LockBelongsToOthers: 2 };

describe.each(['lock.redis', 'lock.in-memory'])('the official JavaScript SDK on %s', (type) => {
  let redis: RedisServer;
  let sidecar: SidecarProcess;

  beforeAll(async () => {
    redis = await startRedisServer();
    const metadata = type === 'lock.redis' ? { redisHost: `127.0.0.1:${redis.port}` } : {};
    sidecar = await SidecarProcess.start({
      args: ['--resources-path', await writeComponent({ type, metadata })],
    });
  });
  afterAll(async () => {
    await sidecar.stop();
    await redis.stop();
  });

  describe.each([
    ['HTTP', HTTP],
    ['gRPC', GRPC],
  ] as const)('over %s', (name, communicationProtocol) => {
    let client: DaprClient;
    const resource = (suffix: string) => `${name}-${suffix}`;

    beforeAll(async () => {
      const port = communicationProtocol === HTTP ? sidecar.httpPort : sidecar.grpcPort;
      client = new DaprClient({
        daprHost: '127.0.0.1',
        daprPort: String(port),
        communicationProtocol,
        logger: { level: LogLevel.Error },
      });
      await client.start();
    });
    afterAll(() => client.stop());

    it('locks, contends and unlocks with every status', async () => {
      const { lock } = client;
      const id = resource('statuses');
      await expect(lock.lock('lockstore', id, 'a', 60)).resolves.toEqual({ success: true });
      await expect(lock.lock('lockstore', id, 'a', 60)).resolves.toEqual({ success: false });
      await expect(lock.lock('lockstore', id, 'b', 60)).resolves.toEqual({ success: false });
      await expect(lock.unlock('lockstore', id, 'b')).resolves.toEqual({
        status: LockStatus.LockBelongsToOthers,
      });
      await expect(lock.unlock('lockstore', id, 'a')).resolves.toEqual({
        status: LockStatus.Success,
      });
      await expect(lock.unlock('lockstore', id, 'a')).resolves.toEqual({
        status: LockStatus.LockDoesNotExist,
      });
    });

    it('gets a lock whose lease is over', async () => {
      const id = resource('expiry');
      await client.lock.lock('lockstore', id, 'a', 1);
      await eventually(async () => {
        expect(await client.lock.lock('lockstore', id, 'b', 60)).toEqual({ success: true });
      });
      await expect(client.lock.unlock('lockstore', id, 'a')).resolves.toEqual({
        status: LockStatus.LockBelongsToOthers,
      });
    });

    it.each([
      ['an unknown store', ['nope', 'r', 'o', 1], 'lock store nope not found'],
      ['no resource', ['lockstore', '', 'o', 1], 'ResourceId is empty in lock store lockstore'],
      ['no owner', ['lockstore', 'r', '', 1], 'LockOwner is empty in lock store lockstore'],
      ['expiry 0', ['lockstore', 'r', 'o', 0], 'ExpiryInSeconds is not positive in lock store'],
      ['two pipes', ['lockstore', 'a||b', 'o', 1], 'failed to try acquiring lock: input key'],
    ] as const)('shows the message of %s', async (_name, [store, id, owner, expiry], message) => {
      await expect(client.lock.lock(store, id, owner, expiry)).rejects.toThrow(message);
    });

    it('reads the metadata', async () => {
      await expect(client.metadata.get()).resolves.toMatchObject({ id: 'myapp' });
    });
  });
});

describe('the official JavaScript SDK with a token', () => {
  let sidecar: SidecarProcess;
  beforeAll(async () => {
    sidecar = await SidecarProcess.start({
      args: ['--resources-path', 'components'],
      env: { DAPR_API_TOKEN: 'sesame' },
    });
  });
  afterAll(() => sidecar.stop());

  it.each([
    ['HTTP', HTTP],
    ['gRPC', GRPC],
  ] as const)('is served over %s', async (_name, communicationProtocol) => {
    const port = communicationProtocol === HTTP ? sidecar.httpPort : sidecar.grpcPort;
    const client = new DaprClient({
      daprHost: '127.0.0.1',
      daprPort: String(port),
      communicationProtocol,
      daprApiToken: 'sesame',
      logger: { level: LogLevel.Error },
    });
    const answer = await client.lock.lock('lockstore', `token-${port}`, 'o', 60);
    expect(answer).toEqual({ success: true });
    await client.stop();
  });
});
