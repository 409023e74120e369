import { execFileSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import path from 'node:path';

import { createFolder, toComponentYaml } from '../support/component-files';
import { findFreePort } from '../support/free-port';
import { SidecarProcess } from '../support/sidecar-process';

const STORE = toComponentYaml({ type: 'lock.in-memory' });

describe('a process whose files and flags have slips', () => {
  let folder: string;
  let sidecar: SidecarProcess;
  let server: Server | undefined;
  beforeEach(async () => {
    folder = await createFolder();
  });
  afterEach(async () => {
    await sidecar.stop('SIGKILL');
    const open = server;
    server = undefined;
    if (open !== undefined) await new Promise((resolve) => open.close(resolve));
    await rm(folder, { recursive: true });
  });
  const write = (name: string, text: string) => writeFile(path.join(folder, name), text);
  const pipe = (name: string) => {
    const file = path.join(folder, name);
    execFileSync('mkfifo', [file]);
    return file;
  };
  const start = async (...args: readonly string[]) => {
    sidecar = await SidecarProcess.start({ args });
  };
  const fails = async (...args: readonly string[]) => {
    sidecar = await SidecarProcess.spawn({ args });
    await expect(sidecar.exited).resolves.toBe(1);
    return sidecar.stdout + sidecar.stderr;
  };

  it('starts beside a pipe among its component files, tells it, and ends with SIGTERM', async () => {
    const file = pipe('a.yaml');
    await write('b.yaml', STORE);
    await start('--resources-path', folder);
    expect(sidecar.stdout).toContain(`${file}: it is a pipe, not a regular file`);
    expect(sidecar.stdout).toContain('Component loaded: lockstore (lock.in-memory/v1)');
    sidecar.child.kill('SIGTERM');
    await expect(sidecar.exited).resolves.toBe(0);
  });

  it('ends at once where a pipe is its configuration', async () => {
    const file = pipe('c');
    await expect(fails('--config', file)).resolves.toContain(
      `error loading configuration: ${file}: it is a pipe, not a regular file`,
    );
  });

  it('ends at once where its log is a pipe that nobody reads', async () => {
    const file = pipe('log');
    await expect(fails('--log-file', file)).resolves.toContain(
      `can't open the file of --log-file: ${file}: it is a pipe that nobody reads`,
    );
  });

  it('tells in JSON why it has no lock store', async () => {
    await write('a.yaml', STORE.replace('kind: Component', 'kind: Componnent'));
    await start('--resources-path', folder, '--log-as-json');
    const lines = sidecar.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string>);
    const warnings = lines.filter(({ level }) => level === 'warning').map(({ msg }) => msg);
    expect(warnings).toContainEqual(expect.stringMatching(/a\.yaml:2:7 kind: "Componnent"/));
    expect(warnings).toContainEqual(expect.stringMatching(/^No lock store is loaded/));
  });

  it('says once why a start fails', async () => {
    await write('a.yaml', toComponentYaml({ type: 'lock.redis', metadata: { redisDB: 'x' } }));
    const output = await fails('--resources-path', folder);
    expect(output.split('INIT_COMPONENT_FAILURE')).toHaveLength(2);
    expect(output.split("error decoding 'redisDB'")).toHaveLength(2);
    expect(output).toContain(`invalid int \\"x\\" (allowed: a whole number)`);
  });

  it('says of a folder that is not there just that', async () => {
    const place = path.join(folder, 'none');
    await expect(fails('--resources-path', place)).resolves.toContain(
      `the folder can't be read: ${place}: it does not exist`,
    );
    await expect(fails('--unix-domain-socket', place)).resolves.toContain(
      `its folder ${place}: it does not exist`,
    );
  });

  it('says of a path through a file, or to one, just that', async () => {
    await write('file', '');
    const place = path.join(folder, 'file');
    await expect(fails('--resources-path', place)).resolves.toContain('is a file, not a folder');
    await expect(fails('--config', path.join(place, 'x'))).resolves.toContain('(ENOTDIR)');
    await mkdir(path.join(folder, 'sub'));
    await expect(fails('--config', path.join(folder, 'sub'))).resolves.toContain(
      'it is a folder, not a regular file',
    );
  });

  it('says once that a port is taken', async () => {
    const port = await findFreePort();
    server = createServer();
    await new Promise<void>((resolve) => server?.listen(port, '127.0.0.1', resolve));
    const output = await fails(
      ...['--dapr-listen-addresses', '127.0.0.1', '--dapr-grpc-port', String(port)],
    );
    expect(output.split('another process listens on it (EADDRINUSE)')).toHaveLength(2);
  });

  it('says that an address is none of this machine', async () => {
    await expect(fails('--dapr-listen-addresses', '192.0.2.1')).resolves.toContain(
      'this machine has no such address (EADDRNOTAVAIL)',
    );
  });
});
