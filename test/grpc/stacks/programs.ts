import { copyFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import type { InteropProgram } from '../../interop/client';
import { prepareByMaven } from '../../interop/maven';
import versions from '../../interop/versions.json';

const { native } = versions;

/**
 * A client of each stack of gRPC in which Dapr's SDKs are written. Called with PORT STREAMS BYTES, each
 * opens so many streams at a time, and makes a unary call with a request and an answer of so many
 * bytes. It prints `ok`, or fails.
 */
export const STACKS: readonly InteropProgram[] = [
  {
    name: 'Go',
    version: native.go,
    folder: 'go',
    toolchain: { file: 'go', args: ['version'] },
    async prepare(buildFolder, runCommand) {
      const run = (...args: string[]) => runCommand({ file: 'go', args, cwd: buildFolder });
      await writeFile(path.join(buildFolder, 'go.mod'), 'module stack\n');
      await copyFile(path.join(__dirname, 'go', 'main.go'), path.join(buildFolder, 'main.go'));
      await run('get', `google.golang.org/grpc@v${native.go}`);
      await run('mod', 'tidy');
      await run('build', '-o', 'program', '.');
      return { file: path.join(buildFolder, 'program'), args: [] };
    },
  },
  {
    name: 'Java (Netty)',
    version: native.java,
    folder: 'java',
    toolchain: { file: 'mvn', args: ['--version'] },
    prepare: prepareByMaven(path.join(__dirname, 'java'), `-Dgrpc.version=${native.java}`),
  },
  {
    name: 'Python (C core)',
    version: native.python,
    folder: 'python',
    toolchain: { file: 'python3', args: ['-m', 'venv', '--help'] },
    async prepare(buildFolder, runCommand) {
      const venv = path.join(buildFolder, 'venv');
      const python = path.join(venv, 'bin', 'python');
      await runCommand({ file: 'python3', args: ['-m', 'venv', venv] });
      const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
      await runCommand({ file: python, args: [...install, `grpcio==${native.python}`] });
      return { file: python, args: [path.join(__dirname, 'python', 'program.py')] };
    },
  },
  {
    name: 'Node',
    version: native.javascript,
    folder: 'node',
    toolchain: { file: process.execPath, args: ['--version'] },
    async prepare() {
      const runner = path.join(__dirname, '../../../scripts/run-typescript.js');
      return {
        file: process.execPath,
        args: [runner, path.join(__dirname, 'node', 'program.ts')],
      };
    },
  },
];
