import { copyFile } from 'node:fs/promises';
import path from 'node:path';

import type { InteropClient } from '../client';
import type { ApiError } from '../script';
import versions from '../versions.json';

/** Dapr's Python SDK, its blocking client and the one for asyncio. */
export const pythonClients: readonly InteropClient[] = [
  createClient('Python', 'sync', {
    unixEnvironment: ({ grpc }) => ({ DAPR_GRPC_ENDPOINT: `unix:${grpc}` }),
  }),
  createClient('Python, asyncio', 'aio'),
];

function createClient(
  name: string,
  way: 'sync' | 'aio',
  more: Partial<InteropClient> = {},
): InteropClient {
  return {
    name,
    version: versions.python,
    folder: 'python',
    toolchain: { file: 'python3', args: ['-m', 'venv', '--help'] },
    way: { WAY: way },
    async prepare(buildFolder, runCommand) {
      const python = path.join(buildFolder, 'venv', 'bin', 'python');
      const program = path.join(buildFolder, 'program.py');
      await runCommand({ file: 'python3', args: ['-m', 'venv', path.join(buildFolder, 'venv')] });
      const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
      await runCommand({ file: python, args: [...install, `dapr==${versions.python}`] });
      for (const part of ['program.py', 'report.py', 'report_aio.py']) {
        await copyFile(path.join(__dirname, part), path.join(buildFolder, part));
      }
      return { file: python, args: ['-W', 'ignore', program] };
    },
    shows: showsRpcError,
    ownErrors: {
      // Blank strings and expiries below 1 s don't leave the SDK.
      'an empty resource': ['ValueError'],
      'an empty owner': ['ValueError'],
      'expiry 0': ['ValueError'],
    },
    sidecarSteps: {
      'construction, which waits for the sidecar': 'ok',
      'metadata id': 'myapp',
      'set metadata': 'ok',
      shutdown: 'ok',
    },
    hasScope: true,
    ...more,
  };
}

/** The SDK lets grpcio's own error through. */
function showsRpcError({ grpcCode, message }: ApiError): readonly string[] {
  return [`status = StatusCode.${grpcCode}`, `details = "${message}"`];
}
