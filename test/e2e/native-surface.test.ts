import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { credentials, status } from '@grpc/grpc-js';

import { toQueueKey } from '../../src/stores/redis/side-keys';
import { toComponentYaml } from '../support/component-files';
import { eventually } from '../support/eventually';
import { findFreePort } from '../support/free-port';
import {
  type NativeClient,
  NativeGrpcClient,
  NativeHttpClient,
  type NativeMessage,
} from '../support/native-clients';
import { type RedisServer, startRedisServer } from '../support/redis-server';
import { SidecarProcess } from '../support/sidecar-process';

const LOCK_KEY = 'lock||myapp||the-resource';
const LOCK = { storeName: 'lockstore', resourceId: 'the-resource' };
const TTL_MS = 60_000;
const TLS_FOLDER = path.join(__dirname, '../fixtures/tls');
const TOKEN = 'the-api-token';
const [CERT, KEY] = ['server.crt', 'server.key'].map((name) => path.join(TLS_FOLDER, name));

/** A client of a sidecar over each transport. */
const TRANSPORTS = [
  {
    transport: 'HTTP',
    connect: ({ httpPort: port }: SidecarProcess, headers = {}): NativeClient =>
      new NativeHttpClient({ port }, headers),
    refused: { unauthorized: 401, denied: 404 },
  },
  {
    transport: 'gRPC',
    connect: ({ grpcPort }: SidecarProcess, headers = {}): NativeClient =>
      new NativeGrpcClient(`127.0.0.1:${grpcPort}`, headers),
    refused: {
      unauthorized: status.UNAUTHENTICATED,
      denied: status.UNIMPLEMENTED,
    },
  },
] as const;

describe('the native API of a sidecar', () => {
  let folder: string;
  let sidecar: SidecarProcess;
  const clients: NativeClient[] = [];
  const servers: RedisServer[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'hf-'));
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await sidecar.stop('SIGKILL');
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    await rm(folder, { recursive: true });
  });

  const start = async (args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) => {
    sidecar = await SidecarProcess.start({ args: ['--resources-path', folder, ...args], env });
  };
  const startRedis = async () => {
    const server = await startRedisServer();
    servers.push(server);
    return server;
  };
  const write = (text: string, name = 'lockstore.yaml') => writeFile(path.join(folder, name), text);
  const use = <Client extends NativeClient>(client: Client): Client => {
    clients.push(client);
    return client;
  };
  const holding = async (client: NativeClient, message: NativeMessage = {}) => {
    const hold = client.hold({ ...LOCK, ttlMs: TTL_MS, ...message });
    await eventually(() => {
      expect(hold.told).toEqual(['held']);
    });
    return hold;
  };
  const queued = async (client: NativeClient) => {
    const hold = client.hold({ ...LOCK, ttlMs: TTL_MS, waitMs: TTL_MS });
    await eventually(() => {
      expect(hold.told).toEqual(['queued']);
    });
    return hold;
  };
  /** Takes, sees and holds a lock. */
  const expectServed = async (client: NativeClient) => {
    const hold = await holding(client);
    await expect(client.call('Get', LOCK)).resolves.toMatchObject({ body: {} });
    const { body } = await client.call('Acquire', { ...LOCK, ttlMs: TTL_MS });
    expect(body).toMatchObject({ acquired: false });
    hold.leave();
    await eventually(async () => {
      const answer = await client.call('List', { storeName: 'lockstore' });
      expect(answer.body?.locks).toEqual([]);
    });
  };

  it('is served over TLS', async () => {
    await write(toComponentYaml({ type: 'lock.in-memory' }));
    await start(['--tls-cert-file', CERT!, '--tls-key-file', KEY!]);
    const ca = await readFile(CERT!);
    const port = sidecar.httpPort;
    await expectServed(use(new NativeHttpClient({ host: 'localhost', port, ca })));
    const channel = credentials.createSsl(ca);
    await expectServed(use(new NativeGrpcClient(`localhost:${sidecar.grpcPort}`, {}, channel)));
  });

  it('is served on unix sockets', async () => {
    await write(toComponentYaml({ type: 'lock.in-memory' }));
    await start(['--unix-domain-socket', folder]);
    const socketOf = (protocol: string) => path.join(folder, `dapr-myapp-${protocol}.socket`);
    await expectServed(use(new NativeHttpClient({ socketPath: socketOf('http') })));
    await expectServed(use(new NativeGrpcClient(`unix:${socketOf('grpc')}`)));
  });

  it('is not served on the public port', async () => {
    const port = await findFreePort();
    await write(toComponentYaml({ type: 'lock.in-memory' }));
    await start(['--dapr-public-port', String(port)]);
    const client = use(new NativeHttpClient({ port }));
    for (const call of ['Acquire', 'Renew', 'Release', 'ForceRelease', 'Get', 'List'] as const) {
      await expect(client.call(call, LOCK)).resolves.toMatchObject({ status: 404 });
    }
    const hold = client.hold({ ...LOCK, ttlMs: TTL_MS });
    await eventually(() => {
      expect(hold.end).toMatchObject({ status: 404 });
    });
  });

  describe.each(TRANSPORTS)('over $transport', ({ connect, refused }) => {
    it('asks for the API token, and does nothing without it', async () => {
      await write(toComponentYaml({ type: 'lock.in-memory' }));
      await start([], { DAPR_API_TOKEN: TOKEN });
      const stranger = use(connect(sidecar));
      const { unauthorized } = refused;
      const request = { ...LOCK, ttlMs: TTL_MS };
      await expect(stranger.call('Acquire', request)).resolves.toMatchObject({
        status: unauthorized,
      });
      const hold = stranger.hold(request);
      await eventually(() => {
        expect(hold.end).toMatchObject({ status: unauthorized });
      });
      await expectServed(use(connect(sidecar, { 'dapr-api-token': TOKEN })));
    });

    it('is denied by the configuration', async () => {
      await write(toComponentYaml({ type: 'lock.in-memory' }));
      const config = path.join(folder, 'config');
      await writeFile(config, 'spec: {api: {denied: [{name: locks, version: v1}]}}');
      await start(['--config', config]);
      const client = use(connect(sidecar));
      const hold = client.hold({ ...LOCK, ttlMs: TTL_MS });
      await eventually(() => {
        expect(hold.end).toMatchObject({ status: refused.denied });
      });
      await expect(client.call('Get', LOCK)).resolves.toMatchObject({ status: refused.denied });
    });

    it('is in the API log, a hold once it has ended, without its resource', async () => {
      await write(toComponentYaml({ type: 'lock.in-memory' }));
      await start(['--enable-api-logging']);
      const client = use(connect(sidecar));
      const lines = () => sidecar.stdout.split('\n').filter((line) => line.includes('API Called'));
      const hold = await holding(client);
      expect(lines()).toEqual([]);
      hold.leave();
      await eventually(() => {
        expect(lines()).toHaveLength(1);
      });
      await client.call('Acquire', { ...LOCK, ttlMs: TTL_MS });
      await eventually(() => {
        expect(lines()).toHaveLength(2);
      });
      expect(lines().join()).not.toContain('the-resource');
    });

    it('releases nothing that is in use when the sidecar stops', async () => {
      const redis = await startRedis();
      await write(redisYaml(redis));
      await start();
      const client = use(connect(sidecar));
      const hold = await holding(client);
      const waiting = await queued(client);
      await sidecar.stop();
      await eventually(() => {
        expect([hold.end === undefined, waiting.end === undefined]).toEqual([false, false]);
      });
      expect(hold.last).toMatchObject({ type: 'atRisk' });
      expect(Number(hold.last?.validMs)).toBeGreaterThan(TTL_MS / 2);
      expect(hold.end?.errorCode).toBeUndefined();
      expect(waiting.told).toEqual(['queued']);
      // Where the waiter was just asking again, it is not known whether that took the lock.
      expect(waiting.end?.errorCode).toMatch(/^ERR_LOCK_(?:STOPPING|OUTCOME_UNKNOWN)$/);
      expect(await locksOf(redis)).toEqual([LOCK_KEY]);
      await redis.inspect(async (redisClient) => {
        await expect(redisClient.exists(toQueueKey(LOCK_KEY))).resolves.toBe(0);
      });
    });

    it('goes on with a hold on the old store where its component is changed', async () => {
      const [redis, other] = [await startRedis(), await startRedis()];
      await write(redisYaml(redis));
      await start();
      const client = use(connect(sidecar));
      const hold = await holding(client, { ttlMs: 1500 });
      await write(redisYaml(other));
      await sidecar.waitForOutput('Component updated: lockstore');
      const before = hold.told.length;
      await eventually(() => {
        expect(hold.told.length).toBeGreaterThan(before + 1);
      });
      expect([...new Set(hold.told)]).toEqual(['held', 'renewed']);
      const { body } = await client.call('Acquire', { ...LOCK, lockOwner: 'o', ttlMs: TTL_MS });
      expect(body).toMatchObject({ acquired: true });
      hold.leave();
      await eventually(async () => {
        expect(await locksOf(redis)).toEqual([]);
      });
      expect(await locksOf(other)).toEqual([LOCK_KEY]);
    });

    it('says of a hold that it is at risk, then lost, where its component is removed', async () => {
      await write(toComponentYaml({ type: 'lock.in-memory' }));
      await start();
      const client = use(connect(sidecar));
      const hold = await holding(client, { ttlMs: 2000 });
      const waiting = await queued(client);
      await rm(path.join(folder, 'lockstore.yaml'));
      await eventually(() => {
        expect([hold.end === undefined, waiting.end === undefined]).toEqual([false, false]);
      });
      expect(hold.told.slice(-2)).toEqual(['atRisk', 'lost']);
      const removed = [['queued'], 'ERR_LOCK_STORE_NOT_FOUND'];
      expect([waiting.told, waiting.end?.errorCode]).toEqual(removed);
    });

    it('runs each ask under the policies of its store, and not the wait', async () => {
      await write(toComponentYaml({ type: 'lock.in-memory' }));
      await write(
        `apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: {name: r}
spec:
  policies: {timeouts: {short: 100ms}}
  targets: {components: {lockstore: {outbound: {timeout: short}}}}
`,
        'resiliency.yaml',
      );
      await start();
      const client = use(connect(sidecar));
      const first = await holding(client);
      const second = await queued(client);
      const waited = performance.now();
      await eventually(() => {
        expect(performance.now() - waited).toBeGreaterThan(500);
      });
      expect(second.end).toBeUndefined();
      first.leave();
      await eventually(() => {
        expect(second.told).toEqual(['queued', 'held']);
      });
    });
  });
});

function redisYaml(redis: RedisServer): string {
  const metadata = { redisHost: `127.0.0.1:${redis.port}` };
  return toComponentYaml({ type: 'lock.redis', metadata });
}

async function locksOf(redis: RedisServer): Promise<readonly string[]> {
  const keys = await redis.inspect((client) => client.keys('*'));
  return keys.filter((key) => !key.endsWith('||'));
}
