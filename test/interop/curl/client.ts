import path from 'node:path';
import { spawnSync } from 'node:child_process';

import type { InteropClient } from '../client';

/** curl, with the commands of Dapr's how-to and API reference. */
export const curl: InteropClient = {
  name: 'curl',
  version: findVersion(),
  folder: 'curl',
  toolchain: { file: 'curl', args: ['--version'] },
  prepare: () => Promise.resolve({ file: 'bash', args: [path.join(__dirname, 'program.sh')] }),
  shows: ({ errorCode, message, httpStatus }) =>
    httpStatus === 401
      ? ['invalid api token', '401']
      : [JSON.stringify({ errorCode, message }), String(httpStatus)],
  sidecarSteps: {
    'healthz/outbound': '204',
    healthz: '204',
    'metadata id': 'myapp',
    'set metadata': '204',
    shutdown: '204',
  },
  hasExitCodes: true,
  unixEnvironment: ({ http }) => ({ DAPR_HTTP_SOCKET: http }),
};

/** The second word of what curl says of itself. */
function findVersion(): string {
  const { stdout, error } = spawnSync('curl', ['--version'], { encoding: 'utf8' });
  if (error !== undefined) return 'unknown';
  return /^curl (\S+)/.exec(stdout)?.[1] ?? 'unknown';
}
