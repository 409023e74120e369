import { cp } from 'node:fs/promises';
import path from 'node:path';

import type { InteropProgram } from './client';

/**
 * Builds a Java program with the class `Program` in a build folder.
 *
 * @param source the folder of its pom.xml and src
 * @param version the option that gives the pom the version of what is tried, such as `-Dgrpc.version=1.79.0`
 */
export function prepareByMaven(source: string, version: string): InteropProgram['prepare'] {
  return async (buildFolder, runCommand) => {
    for (const part of ['pom.xml', 'src']) {
      await cp(path.join(source, part), path.join(buildFolder, part), { recursive: true });
    }
    await runCommand({ file: 'mvn', args: ['-q', '-B', version, 'package'], cwd: buildFolder });
    const classPath = ['classes', 'dependency/*'].map((part) =>
      path.join(buildFolder, 'target', part),
    );
    return { file: 'java', args: ['-cp', classPath.join(path.delimiter), 'Program'] };
  };
}
