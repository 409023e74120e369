import { execFileSync } from 'node:child_process';
import { mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import path from 'node:path';

import { LONGEST_FILE, readRegularFile, readRegularFileSync } from '../../src/base/regular-file';
import { MetadataProperties } from '../../src/components/metadata-properties';
import { createFileSecrets } from '../../src/components/secrets/file-secrets';
import { loadConfiguration } from '../../src/configuration/load-configuration';
import { ManifestFolders } from '../../src/manifests/manifest-folders';
import { readTlsFiles } from '../../src/servers/tls-files';
import { createFolder, toComponentYaml } from '../support/component-files';
import { RecordingLogger } from '../support/recording-logger';

const KEY = path.join(__dirname, '../fixtures/tls/server.key');

describe('a file that is named or found', () => {
  let folder: string;
  let server: Server | undefined;
  beforeEach(async () => {
    folder = await createFolder();
  });
  afterEach(async () => {
    const open = server;
    server = undefined;
    if (open !== undefined) await new Promise((resolve) => open.close(resolve));
    await rm(folder, { recursive: true });
  });

  /** Makes what can't be read of a file's name. */
  const MAKE: Readonly<Record<string, (file: string) => unknown>> = {
    pipe: (file) => execFileSync('mkfifo', [file]),
    socket: (file) =>
      new Promise<void>((resolve) => {
        server = createServer().listen(file, resolve);
      }),
    'link to a pipe': async (file) => {
      execFileSync('mkfifo', [`${file}.pipe`]);
      await symlink(`${file}.pipe`, file);
    },
    'link to /dev/zero': (file) => symlink('/dev/zero', file),
    'link to /dev/null': (file) => symlink('/dev/null', file),
    'link to a folder': (file) => symlink('.', file),
    'link that leads nowhere': (file) => symlink('nowhere', file),
    'link to itself': (file) => symlink(path.basename(file), file),
    'file without an end in sight': async (file) => {
      await writeFile(file, '');
      await truncate(file, LONGEST_FILE + 1);
    },
  };
  const KINDS = [
    ['pipe', 'it is a pipe, not a regular file'],
    ['socket', 'it is a socket, not a regular file'],
    ['link to a pipe', 'it is a pipe, not a regular file'],
    ['link to /dev/zero', 'it is a device, not a regular file'],
    ['link to /dev/null', 'it is a device, not a regular file'],
    ['link to a folder', 'it is a folder, not a regular file'],
    ['link that leads nowhere', 'it does not exist, or is a broken link (ENOENT)'],
    ['link to itself', 'its symbolic links form a loop (ELOOP)'],
    ['file without an end in sight', 'it is longer than 16 MiB'],
  ] as const;

  describe.each(KINDS)('a %s', (kind, reason) => {
    const make = async (name: string) => {
      const file = path.join(folder, name);
      await MAKE[kind]!(file);
      return file;
    };

    it('is refused by name and reason', async () => {
      const file = await make('f');
      await expect(readRegularFile(file)).rejects.toThrow(`${file}: ${reason}`);
      expect(() => readRegularFileSync(file)).toThrow(`${file}: ${reason}`);
    });

    it('among component files leaves the others to be read', async () => {
      const file = await make('a.yaml');
      await writeFile(path.join(folder, 'b.yaml'), toComponentYaml({ type: 'lock.redis' }));
      const files = await new ManifestFolders([folder], new RecordingLogger()).read();
      expect(files.map(({ problem }) => problem)).toEqual([`${file}: ${reason}`, undefined]);
    });

    it('is refused as configuration, secrets, certificate, key and authorities', async () => {
      const file = await make('f');
      const logger = new RecordingLogger();
      await expect(loadConfiguration({ files: [file], environment: {}, logger })).rejects.toThrow(
        `error loading configuration: ${file}: ${reason}`,
      );
      expect(() => createFileSecrets(new MetadataProperties([['secretsFile', file]]))).toThrow(
        reason,
      );
      const [cert, key] = [KEY.replace('.key', '.crt'), KEY];
      for (const [flag, files] of [
        ['--tls-cert-file', { cert: file, key, clientCa: undefined }],
        ['--tls-key-file', { cert, key: file, clientCa: undefined }],
        ['--tls-client-ca-file', { cert, key, clientCa: file }],
      ] as const) {
        await expect(readTlsFiles(files)).rejects.toThrow(
          `the file of ${flag} can't be read: ${file}: ${reason}`,
        );
      }
    });
  });

  it('is read through links, as Kubernetes mounts its ConfigMaps', async () => {
    await mkdir(path.join(folder, '..2026'));
    await writeFile(path.join(folder, '..2026', 'a.yaml'), 'text\n');
    await symlink('..2026', path.join(folder, '..data'));
    await symlink('..data/a.yaml', path.join(folder, 'a.yaml'));
    await expect(readRegularFile(path.join(folder, 'a.yaml'))).resolves.toBe('text\n');
    const files = await new ManifestFolders([folder], new RecordingLogger()).read();
    expect(files.map(({ text, problem }) => [text, problem])).toEqual([['text\n', undefined]]);
  });

  it('is read to its end, whatever its size', async () => {
    const text = 'ä'.repeat(100_000);
    await writeFile(path.join(folder, 'f'), text);
    await expect(readRegularFile(path.join(folder, 'f'))).resolves.toBe(text);
    expect(readRegularFileSync(path.join(folder, 'f'))).toBe(text);
    await writeFile(path.join(folder, 'empty'), '');
    await expect(readRegularFile(path.join(folder, 'empty'))).resolves.toBe('');
  });

  it('that is a folder with the name of a component file is told', async () => {
    await mkdir(path.join(folder, 'x.yaml'));
    const logger = new RecordingLogger();
    const folders = new ManifestFolders([folder], logger);
    await folders.read();
    await folders.read();
    expect(logger.messages('warn')).toEqual([
      `${path.join(folder, 'x.yaml')} is a folder: subfolders are not read`,
    ]);
  });
});
