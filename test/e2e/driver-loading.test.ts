import path from 'node:path';

import { writeComponent } from '../support/component-files';
import { startRedisServer } from '../support/redis-server';
import { SidecarProcess } from '../support/sidecar-process';

const TELLING = path.join(__dirname, '../support/print-late-modules.js');

/** The parts of dist that drivers other than that of Redis bring, and what the one of etcd is a client by. */
const OTHERS = /\/dist\/(etcd|postgresql|grpc)\.js$/;

/** What a sidecar with its own gRPC server has loaded of them, after a call. */
async function findOthers(
  component: Parameters<typeof writeComponent>[0],
): Promise<readonly string[]> {
  const folder = await writeComponent(component);
  const sidecar = await SidecarProcess.start({
    args: ['--grpc-server', 'lean', '--resources-path', folder],
    env: { NODE_OPTIONS: `--require ${TELLING}` },
  });
  const url = `http://127.0.0.1:${sidecar.httpPort}/v1.0-alpha1/lock/lockstore`;
  const body = { resourceId: 'r', lockOwner: 'o', expiryInSeconds: 10 };
  const { status } = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
  expect(status).toBe(component.type === 'lock.redis' ? 200 : 500);
  await sidecar.stop();
  const loaded = /^loaded: (.*)$/m.exec(sidecar.stderr)?.[1]?.split(' ') ?? [];
  expect(loaded).toContain('node:net');
  return loaded.flatMap((file) => OTHERS.exec(file)?.[1] ?? []).sort();
}

describe('a sidecar', () => {
  it('on Redis has loaded no other driver after a lock, and no gRPC client', async () => {
    const redis = await startRedisServer();
    const redisHost = `127.0.0.1:${redis.port}`;
    const found = findOthers({ type: 'lock.redis', metadata: { redisHost } });
    await expect(found.finally(() => redis.stop())).resolves.toEqual([]);
  });

  // So that this test can tell.
  it.each([
    ['lock.etcd', { endpoints: '127.0.0.1:1' }, ['etcd', 'grpc']],
    ['lock.postgresql', { connectionString: 'postgresql://u@127.0.0.1:1/x' }, ['postgresql']],
  ])('with a component %s has loaded its parts', async (type, metadata, parts) => {
    const spec = '  initTimeout: 50ms\n  ignoreErrors: true\n';
    await expect(findOthers({ type, metadata, spec })).resolves.toEqual(parts);
  });
});
