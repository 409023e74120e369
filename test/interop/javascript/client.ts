import { copyFile } from 'node:fs/promises';
import path from 'node:path';

import type { InteropClient } from '../client';
import { GRPC_CODES } from '../code-names';
import type { ApiError } from '../script';
import versions from '../versions.json';

/** HTTP and gRPC of the newest SDK, and of the last one that used grpc-js. */
export const javascriptClients: readonly InteropClient[] = [
  createClient('JavaScript, HTTP', versions.javascript, 'http'),
  createClient('JavaScript, gRPC', versions.javascript, 'grpc'),
  createClient('JavaScript, HTTP', versions['javascript-before'], 'http'),
  createClient('JavaScript, gRPC', versions['javascript-before'], 'grpc'),
];

function createClient(name: string, version: string, protocol: 'http' | 'grpc'): InteropClient {
  return {
    name,
    version,
    folder: 'javascript',
    toolchain: { file: 'npm', args: ['--version'] },
    way: { PROTOCOL: protocol },
    async prepare(buildFolder, runCommand) {
      const sdk = `@dapr/dapr@${version}`;
      const flags = ['--prefix', buildFolder, '--no-save', '--prefer-offline', '--loglevel=error'];
      await runCommand({ file: 'npm', args: ['install', ...flags, sdk] });
      for (const part of ['program.js', 'report.js']) {
        await copyFile(path.join(__dirname, part), path.join(buildFolder, part));
      }
      return { file: process.execPath, args: [path.join(buildFolder, 'program.js')] };
    },
    shows: protocol === 'http' ? showsOverHttp : showsOverGrpc,
    // The SDK's first call asks for the metadata, and takes any error for a sidecar that is not there.
    showsWrongToken: ['DAPR_SIDECAR_COULD_NOT_BE_STARTED'],
    sidecarSteps: {
      'start, which waits for the sidecar': 'ok',
      healthy: 'true',
      'metadata id': 'myapp',
      shutdown: 'ok',
    },
    callsNativeApi: true,
  };
}

function showsOverHttp({ httpStatus, errorCode, message }: ApiError): readonly string[] {
  const quoted = JSON.stringify(JSON.stringify({ errorCode, message })).slice(1, -1);
  return [quoted, `"status":${httpStatus}`];
}

function showsOverGrpc({ grpcCode, message }: ApiError): readonly string[] {
  return [`code ${GRPC_CODES[grpcCode]},`, message];
}
