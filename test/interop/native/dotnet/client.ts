import { cp } from 'node:fs/promises';
import path from 'node:path';

import type { InteropProgram } from '../../client';
import versions from '../../versions.json';
import { copyProtoFile } from '../proto-file';

/** Stubs by Grpc.Tools, on Grpc.Net.Client. */
export const dotnet: InteropProgram = {
  name: 'native API, .NET',
  version: versions.native.dotnet,
  folder: 'native/dotnet',
  toolchain: { file: 'dotnet', args: ['--version'] },
  mayBeMissing: true,
  async prepare(buildFolder, runCommand) {
    for (const part of ['program.csproj', 'Program.cs', 'Hold.cs', 'Report.cs']) {
      await cp(path.join(__dirname, part), path.join(buildFolder, part));
    }
    await copyProtoFile(buildFolder);
    const output = path.join(buildFolder, 'out');
    const build = ['build', '--nologo', '-v', 'quiet', '-o', output];
    const version = `-p:GrpcVersion=${versions.native.dotnet}`;
    await runCommand({ file: 'dotnet', args: [...build, version], cwd: buildFolder });
    return { file: 'dotnet', args: [path.join(output, 'program.dll')] };
  },
};
