import { copyFile } from 'node:fs/promises';
import path from 'node:path';

import type { InteropProgram } from '../../client';
import versions from '../../versions.json';
import { copyProtoFile } from '../proto-file';

/** Stubs that proto-loader makes at run time, on grpc-js. */
export const javascript: InteropProgram = {
  name: 'native API, JavaScript',
  version: versions.native.javascript,
  folder: 'native/javascript',
  toolchain: { file: 'npm', args: ['--version'] },
  async prepare(buildFolder, runCommand) {
    const packages = [`@grpc/grpc-js@${versions.native.javascript}`, '@grpc/proto-loader@0.8'];
    const flags = ['--prefix', buildFolder, '--no-save', '--prefer-offline', '--loglevel=error'];
    await runCommand({ file: 'npm', args: ['install', ...flags, ...packages] });
    await copyProtoFile(buildFolder);
    for (const part of ['program.js', 'hold.js', 'locks.js', 'report.js']) {
      await copyFile(path.join(__dirname, part), path.join(buildFolder, part));
    }
    return { file: process.execPath, args: [path.join(buildFolder, 'program.js')] };
  },
};
