import { cp } from 'node:fs/promises';
import path from 'node:path';

import type { InteropClient } from '../client';
import versions from '../versions.json';

/** Dapr's Java SDK. */
export const java: InteropClient = {
  name: 'Java',
  version: versions.java,
  folder: 'java',
  toolchain: { file: 'mvn', args: ['--version'] },
  async prepare(buildFolder, runCommand) {
    for (const part of ['pom.xml', 'src']) {
      await cp(path.join(__dirname, part), path.join(buildFolder, part), { recursive: true });
    }
    const version = `-Ddapr.version=${versions.java}`;
    await runCommand({ file: 'mvn', args: ['-q', '-B', version, 'package'], cwd: buildFolder });
    const classPath = ['classes', 'dependency/*'].map((part) =>
      path.join(buildFolder, 'target', part),
    );
    return { file: 'java', args: ['-cp', classPath.join(path.delimiter), 'Program'] };
  },
  shows: ({ grpcCode, message }) => [`${grpcCode}: ${message}`],
  ownErrors: {
    'an empty resource': ['IllegalArgumentException'],
    'an empty owner': ['IllegalArgumentException'],
  },
  sidecarSteps: { waitForSidecar: 'ok', 'metadata id': 'myapp', shutdown: 'ok' },
};
