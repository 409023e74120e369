import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { writeComponent } from '../support/component-files';
import { eventually } from '../support/eventually';
import { postJson } from '../support/http-call';
import { type RedisServer, startRedisServer } from '../support/redis-server';
import { SidecarProcess } from '../support/sidecar-process';
import { TcpProxy } from '../support/tcp-proxy';

const POLICY = `kind: Resiliency
metadata: {name: mine}
spec:
  policies:
    timeouts: {t: 150ms}
    retries: {r: {duration: 20ms, maxRetries: 20}}
  targets: {components: {lockstore: {outbound: {timeout: t, retry: r}}}}
`;

describe('policies on a Redis whose replies are lost', () => {
  let redis: RedisServer;
  let proxy: TcpProxy;
  let folder: string;
  let sidecar: SidecarProcess;
  beforeAll(async () => {
    redis = await startRedisServer();
    proxy = await TcpProxy.start(redis.port);
    folder = await writeComponent({
      type: 'lock.redis',
      metadata: { redisHost: `127.0.0.1:${proxy.port}`, writeTimeout: '400ms' },
    });
    await writeFile(path.join(folder, 'resiliency.yaml'), POLICY);
    sidecar = await SidecarProcess.start({ args: ['--resources-path', folder] });
    // Redis knows the scripts from then on: a lost NOSCRIPT would be nothing to recognise.
    await call('lock', 'warm');
    await call('unlock', 'warm');
  });
  afterAll(async () => {
    await sidecar.stop();
    await proxy.stop();
    await redis.stop();
    await rm(folder, { recursive: true });
  });

  const call = (operation: 'lock' | 'unlock', resourceId: string) =>
    postJson(sidecar.httpPort, `/v1.0-alpha1/${operation}/lockstore`, {
      resourceId,
      lockOwner: 'o',
      expiryInSeconds: 60,
    });
  /** Lets Redis do what it is told, and its reply be lost. */
  const losingReplies = async (run: () => Promise<unknown>, key: string, held: boolean) => {
    proxy.dropReplies = true;
    const answer = run();
    await eventually(async () => {
      const exists = await redis.inspect((client) => client.exists(key));
      expect(exists).toBe(held ? 1 : 0);
    });
    proxy.heal();
    proxy.cut();
    return answer;
  };

  it('knows its own lock when it tries again: the attempt is the same', async () => {
    const taken = losingReplies(() => call('lock', 'a'), 'lock||myapp||a', true);
    await expect(taken).resolves.toEqual({ success: true });
    await expect(call('lock', 'a')).resolves.toEqual({ success: false });
    const released = losingReplies(() => call('unlock', 'a'), 'lock||myapp||a', false);
    await expect(released).resolves.toEqual({ status: 0 });
    await expect(call('unlock', 'a')).resolves.toEqual({ status: 1 });
  });
});
