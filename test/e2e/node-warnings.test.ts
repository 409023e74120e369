import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { createFolder, toComponentYaml } from '../support/component-files';
import { type RedisServer, startRedisServer } from '../support/redis-server';
import { SidecarProcess } from '../support/sidecar-process';

describe('what a sidecar writes', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedisServer();
  });
  afterAll(() => redis.stop());

  const expectLogLines = ({ stdout, stderr }: SidecarProcess): readonly string[] => {
    expect(stderr).toBe('');
    return stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { readonly msg: string }).msg);
  };

  it('is its log and nothing else when it stops with many stores', async () => {
    const folder = await createFolder();
    const metadata = { redisHost: `127.0.0.1:${redis.port}` };
    for (let n = 0; n < 14; n += 1) {
      const yaml = toComponentYaml({ name: `store${n}`, type: 'lock.redis', metadata });
      await writeFile(path.join(folder, `${n}.yaml`), yaml);
    }
    const sidecar = await SidecarProcess.start({
      args: ['--resources-path', folder, '--log-as-json'],
    });
    await expect(sidecar.stop()).resolves.toBe(0);
    const messages = expectLogLines(sidecar);
    expect(messages.filter((message) => message.includes('Warning'))).toEqual([]);
  });

  it('has the warnings of Node in it', async () => {
    const file = path.join(await createFolder(), 'warn.js');
    await writeFile(
      file,
      `setTimeout(() => process.emitWarning('look here', 'OddWarning'), 1500).unref();`,
    );
    const sidecar = await SidecarProcess.start({
      args: ['--resources-path', 'components', '--log-as-json'],
      env: { NODE_OPTIONS: `--require ${file}` },
    });
    await sidecar.waitForOutput('look here');
    await sidecar.stop();
    expect(expectLogLines(sidecar)).toContain('Warning of Node.js: OddWarning: look here');
  });
});
