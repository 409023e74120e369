import { copyFile } from 'node:fs/promises';
import path from 'node:path';

import type { InteropProgram } from '../../client';
import versions from '../../versions.json';
import { copyProtoFile, PROTO_FILE } from '../proto-file';

/** Stubs by grpcio-tools, on grpcio. */
export const python: InteropProgram = {
  name: 'native API, Python',
  version: versions.native.python,
  folder: 'native/python',
  toolchain: { file: 'python3', args: ['-m', 'venv', '--help'] },
  async prepare(buildFolder, runCommand) {
    const python3 = path.join(buildFolder, 'venv', 'bin', 'python');
    const run = (...args: string[]) => runCommand({ file: python3, args, cwd: buildFolder });
    await runCommand({ file: 'python3', args: ['-m', 'venv', path.join(buildFolder, 'venv')] });
    const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
    await run(...install, `grpcio-tools==${versions.native.python}`);
    await copyProtoFile(buildFolder);
    const generate = ['-m', 'grpc_tools.protoc', '-I', 'proto'];
    await run(...generate, '--python_out=.', '--grpc_python_out=.', PROTO_FILE);
    for (const part of ['program.py', 'hold.py', 'report.py']) {
      await copyFile(path.join(__dirname, part), path.join(buildFolder, part));
    }
    return { file: python3, args: [path.join(buildFolder, 'program.py')] };
  },
};
