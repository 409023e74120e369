'use strict';
// What few processes use is not in the bundles that every start reads. Each part is a file of its own in
// dist, with all packages that it needs, and is loaded when it is first used.

const path = require('node:path');

const { protoFilesOf } = require('./proto-files');
const { sharedGrpc, sharedGrpcSource } = require('./shared-grpc');

const root = path.join(__dirname, '..', '..');

/** The proto files of lock.etcd: the end of the path, and the folder that contains it. */
const ETCD_PROTO_FILES = [['etcd/v3/etcd.proto', 'proto']];

/**
 * The parts: the name of the file in dist, the module or the source that it consists of, how this is
 * imported, and the options that bundle it. A part that nothing imports is shared by other parts.
 */
const ON_DEMAND = {
  tracing: {
    entry: path.join(root, 'src/observability/otel-tracer.ts'),
    imported: /\/otel-tracer\.js$/,
    // Of ES modules, esbuild leaves out what is not used: two thirds.
    options: { plugins: [sharedGrpc], mainFields: ['module', 'main'] },
  },
  etcd: {
    entry: path.join(root, 'src/stores/etcd/etcd-driver.ts'),
    imported: /\/etcd-driver$/,
    options: { plugins: [protoFilesOf(ETCD_PROTO_FILES), sharedGrpc] },
  },
  postgresql: { entry: 'pg', imported: /^pg$/ },
  'waiting-bar': {
    entry: path.join(root, 'src/commands/waiting/waiting-bar.ts'),
    imported: /\/waiting-bar$/,
  },
  grpc: { source: sharedGrpcSource },
  cel: { entry: '@bufbuild/cel', imported: /^@bufbuild\/cel$/ },
};

/** The esbuild plugin that leaves them out. */
const onDemand = {
  name: 'on-demand',
  setup(build) {
    for (const [name, { imported }] of Object.entries(ON_DEMAND)) {
      if (imported === undefined) continue;
      build.onResolve({ filter: imported }, ({ kind }) =>
        kind === 'entry-point' ? undefined : { path: `./${name}.js`, external: true },
      );
    }
  },
};

module.exports = { ON_DEMAND, onDemand };
