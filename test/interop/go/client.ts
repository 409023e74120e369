import { copyFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import type { InteropClient } from '../client';
import { toPascalCase } from '../code-names';
import versions from '../versions.json';

/** Dapr's Go SDK. */
export const go: InteropClient = {
  name: 'Go',
  version: versions.go,
  folder: 'go',
  toolchain: { file: 'go', args: ['version'] },
  async prepare(buildFolder, runCommand) {
    // The module file is made here, so that the version stands in one place.
    await writeFile(path.join(buildFolder, 'go.mod'), 'module interop\n');
    for (const part of ['main.go', 'report.go']) {
      await copyFile(path.join(__dirname, part), path.join(buildFolder, part));
    }
    const run = (...args: string[]) => runCommand({ file: 'go', args, cwd: buildFolder });
    await run('get', `github.com/dapr/go-sdk@v${versions.go}`);
    await run('mod', 'tidy');
    await run('build', '-o', 'program', '.');
    return { file: path.join(buildFolder, 'program'), args: [] };
  },
  shows: ({ grpcCode, message }) => [
    `rpc error: code = ${toPascalCase(grpcCode)} desc = ${message}`,
  ],
  sidecarSteps: {
    wait: 'ok',
    'metadata id': 'myapp',
    'set metadata': 'ok',
    shutdown: 'ok',
  },
  unixEnvironment: ({ grpc }) => ({ DAPR_GRPC_SOCKET: grpc }),
};
