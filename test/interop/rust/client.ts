import { cp } from 'node:fs/promises';
import path from 'node:path';

import type { InteropClient } from '../client';
import { toPascalCase } from '../code-names';
import versions from '../versions.json';

/** The stub in Dapr's Rust SDK, over tonic: the SDK itself has no lock calls. */
export const rust: InteropClient = {
  name: 'Rust',
  version: versions.rust,
  folder: 'rust',
  toolchain: { file: 'cargo', args: ['--version'] },
  async prepare(buildFolder, runCommand) {
    for (const part of ['Cargo.toml', 'src']) {
      await cp(path.join(__dirname, part), path.join(buildFolder, part), { recursive: true });
    }
    const cargo = (...args: string[]) =>
      runCommand({ file: 'cargo', args: [...args, '--quiet'], cwd: buildFolder });
    await cargo('add', `dapr@=${versions.rust}`);
    await cargo('build');
    return { file: path.join(buildFolder, 'target', 'debug', 'program'), args: [] };
  },
  shows: ({ grpcCode, message }) => [toPascalCase(grpcCode), message],
  sidecarSteps: { 'metadata id': 'myapp', 'set metadata': 'ok', shutdown: 'ok' },
};
