import { cp } from 'node:fs/promises';
import path from 'node:path';

import type { InteropClient, InteropProgram } from '../client';
import { toPascalCase } from '../code-names';
import versions from '../versions.json';

const TOOLCHAIN = { file: 'dotnet', args: ['--version'] };

/** The packages of Dapr's .NET SDK that have locks. Each has a build of its own, as one may not be had. */
export const dotnetClients: readonly InteropClient[] = [
  createClient({
    package: 'Dapr.Client',
    parts: ['ClientLocks.cs', 'ReportOfDaprClient.cs'],
    sidecarSteps: {
      WaitForSidecarAsync: 'ok',
      healthy: 'true',
      'metadata id': 'myapp',
      shutdown: 'ok',
    },
  }),
  createClient({
    package: 'Dapr.DistributedLock',
    parts: ['PackageLocks.cs', 'Report.cs'],
    sidecarSteps: {},
  }),
];

/** The service of ASP.NET Core on the page. It is compiled, not run: it does its work once a minute. */
export const dotnetService: InteropProgram = {
  name: '.NET, Dapr.AspNetCore (compiled only)',
  version: versions.dotnet,
  folder: 'dotnet/service',
  toolchain: TOOLCHAIN,
  mayBeMissing: true,
  async prepare(buildFolder, runCommand) {
    for (const part of ['service.csproj', 'Program.cs'])
      await cp(path.join(__dirname, 'service', part), path.join(buildFolder, part));
    const args = ['build', '--nologo', '-v', 'quiet', `-p:DaprVersion=${versions.dotnet}`];
    await runCommand({ file: 'dotnet', args, cwd: buildFolder });
    return TOOLCHAIN;
  },
};

interface DotnetPackage extends Pick<InteropClient, 'sidecarSteps'> {
  readonly package: string;
  /** The files of the program that use it. */
  readonly parts: readonly string[];
}

function createClient({ package: name, parts, sidecarSteps }: DotnetPackage): InteropClient {
  return {
    name: `.NET, ${name}`,
    version: versions.dotnet,
    folder: 'dotnet',
    build: name,
    toolchain: TOOLCHAIN,
    mayBeMissing: true,
    async prepare(buildFolder, runCommand) {
      for (const part of ['program.csproj', 'Program.cs', ...parts])
        await cp(path.join(__dirname, part), path.join(buildFolder, part));
      const output = path.join(buildFolder, 'out');
      const build = ['build', '--nologo', '-v', 'quiet', '-o', output];
      const packages = [`-p:DaprPackage=${name}`, `-p:DaprVersion=${versions.dotnet}`];
      await runCommand({ file: 'dotnet', args: [...build, ...packages], cwd: buildFolder });
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
    sidecarSteps,
    hasScope: true,
  };
}
