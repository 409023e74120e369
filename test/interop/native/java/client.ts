import { cp } from 'node:fs/promises';
import path from 'node:path';

import type { InteropProgram } from '../../client';
import versions from '../../versions.json';
import { copyProtoFile } from '../proto-file';

/** Stubs by protobuf-maven-plugin, on grpc-java. */
export const java: InteropProgram = {
  name: 'native API, Java',
  version: versions.native.java,
  folder: 'native/java',
  toolchain: { file: 'mvn', args: ['--version'] },
  async prepare(buildFolder, runCommand) {
    for (const part of ['pom.xml', 'src']) {
      await cp(path.join(__dirname, part), path.join(buildFolder, part), { recursive: true });
    }
    await copyProtoFile(buildFolder);
    const version = `-Dgrpc.version=${versions.native.java}`;
    await runCommand({ file: 'mvn', args: ['-q', '-B', version, 'package'], cwd: buildFolder });
    const classPath = ['classes', 'dependency/*'].map((part) =>
      path.join(buildFolder, 'target', part),
    );
    return { file: 'java', args: ['-cp', classPath.join(path.delimiter), 'Program'] };
  },
};
