import { cp } from 'node:fs/promises';
import path from 'node:path';

import type { InteropClient } from '../client';
import { toPascalCase } from '../code-names';
import versions from '../versions.json';

/** Dapr's .NET SDK: the client that has everything, and the package of locks alone. */
export const dotnetClients: readonly InteropClient[] = [
  createClient('.NET, Dapr.Client', 'client'),
  createClient('.NET, Dapr.DistributedLock', 'distributed-lock'),
];

function createClient(name: string, way: string): InteropClient {
  return {
    name,
    version: versions.dotnet,
    folder: 'dotnet',
    toolchain: { file: 'dotnet', args: ['--version'] },
    mayBeMissing: true,
    way: { WAY: way },
    async prepare(buildFolder, runCommand) {
      for (const part of ['program.csproj', 'Program.cs', 'Report.cs', 'ReportOfDaprClient.cs']) {
        await cp(path.join(__dirname, part), path.join(buildFolder, part));
      }
      const output = path.join(buildFolder, 'out');
      const build = ['build', '--nologo', '-v', 'quiet', '-o', output];
      const version = `-p:DaprVersion=${versions.dotnet}`;
      await runCommand({ file: 'dotnet', args: [...build, version], cwd: buildFolder });
      return { file: 'dotnet', args: [path.join(output, 'program.dll')] };
    },
    shows: ({ grpcCode, message }) => [
      'DaprException',
      `StatusCode="${toPascalCase(grpcCode)}", Detail="${message}"`,
    ],
    ownErrors: {
      'an empty resource': ['ArgumentException'],
      'an empty owner': ['ArgumentException'],
      'expiry 0': ['Argument'],
    },
    sidecarSteps: {
      WaitForSidecarAsync: 'ok',
      healthy: 'true',
      'metadata id': 'myapp',
      shutdown: 'ok',
    },
    hasScope: true,
  };
}
