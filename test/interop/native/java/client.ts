import type { InteropProgram } from '../../client';
import { prepareByMaven } from '../../maven';
import versions from '../../versions.json';
import { copyProtoFile } from '../proto-file';

const buildByMaven = prepareByMaven(__dirname, `-Dgrpc.version=${versions.native.java}`);

/** Stubs by protobuf-maven-plugin, on grpc-java. */
export const java: InteropProgram = {
  name: 'native API, Java',
  version: versions.native.java,
  folder: 'native/java',
  toolchain: { file: 'mvn', args: ['--version'] },
  async prepare(buildFolder, runCommand) {
    await copyProtoFile(buildFolder);
    return buildByMaven(buildFolder, runCommand);
  },
};
