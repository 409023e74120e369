import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import type { InteropProgram } from '../../client';
import versions from '../../versions.json';
import { copyProtoFile, PROTO_FILE } from '../proto-file';

/** The plugins of protoc, which make the stubs: what they are built from. */
const PLUGINS = [
  'google.golang.org/protobuf/cmd/protoc-gen-go',
  'google.golang.org/grpc/cmd/protoc-gen-go-grpc',
] as const;

/** Stubs by protoc-gen-go and protoc-gen-go-grpc, on grpc-go. */
export const go: InteropProgram = {
  name: 'native API, Go',
  version: versions.native.go,
  folder: 'native/go',
  toolchain: { file: 'go', args: ['version'] },
  async prepare(buildFolder, runCommand) {
    const run = (...args: string[]) =>
      runCommand({ file: 'go', args, cwd: buildFolder, env: { GOBIN: buildFolder } });
    await mkdir(path.join(buildFolder, 'generate'), { recursive: true });
    await writeFile(path.join(buildFolder, 'go.mod'), 'module example\n');
    for (const part of ['main.go', 'hold.go', 'report.go', 'generate/main.go']) {
      await copyFile(path.join(__dirname, part), path.join(buildFolder, part));
    }
    await copyProtoFile(buildFolder);
    await run('get', `google.golang.org/grpc@v${versions.native.go}`, ...PLUGINS, PROTOCOMPILE);
    await run('install', ...PLUGINS);
    await run('run', './generate', 'proto', PROTO_FILE, 'example/locks', buildFolder);
    await run('build', '-o', 'program', '.');
    return { file: path.join(buildFolder, 'program'), args: [] };
  },
};

/** Reads proto files, as protoc does, and comes as a module. */
const PROTOCOMPILE = 'github.com/bufbuild/protocompile';
