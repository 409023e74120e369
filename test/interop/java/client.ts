import type { InteropClient } from '../client';
import { prepareByMaven } from '../maven';
import versions from '../versions.json';

/** Dapr's Java SDK. */
export const java: InteropClient = {
  name: 'Java',
  version: versions.java,
  folder: 'java',
  toolchain: { file: 'mvn', args: ['--version'] },
  prepare: prepareByMaven(__dirname, `-Ddapr.version=${versions.java}`),
  shows: ({ grpcCode, message }) => [`${grpcCode}: ${message}`],
  ownErrors: {
    'an empty resource': ['IllegalArgumentException'],
    'an empty owner': ['IllegalArgumentException'],
  },
  sidecarSteps: { waitForSidecar: 'ok', 'metadata id': 'myapp', shutdown: 'ok' },
};
