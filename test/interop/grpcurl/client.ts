import path from 'node:path';

import type { InteropClient } from '../client';
import { toPascalCase } from '../code-names';
import versions from '../versions.json';

/** grpcurl without a proto file: what it knows it learns by reflection. */
export const grpcurl: InteropClient = {
  name: 'grpcurl',
  version: versions.grpcurl,
  folder: 'grpcurl',
  toolchain: { file: 'go', args: ['version'] },
  async prepare(buildFolder, runCommand) {
    const command = `github.com/fullstorydev/grpcurl/cmd/grpcurl@v${versions.grpcurl}`;
    await runCommand({ file: 'go', args: ['install', command], env: { GOBIN: buildFolder } });
    const program = path.join(__dirname, 'program.sh');
    return { file: 'bash', args: [program], env: { GRPCURL: path.join(buildFolder, 'grpcurl') } };
  },
  shows: ({ grpcCode, message }) => [`Code: ${toPascalCase(grpcCode)}`, `Message: ${message}`],
  // Reflection comes before the call, and is refused first.
  showsWrongToken: ['Unauthorized'],
  sidecarSteps: {
    'the Dapr service is listed': 'yes',
    'its methods are listed': 'yes',
    'TryLockAlpha1 is described': 'yes',
    'its request is described': 'yes',
    health: 'SERVING',
    'metadata id': 'myapp',
    shutdown: '{}',
  },
  hasExitCodes: true,
  unixEnvironment: ({ grpc }) => ({ DAPR_GRPC_SOCKET: grpc }),
};
