'use strict';
// grpc-js and proto-loader as one part of dist, for the parts that are clients of gRPC: each copy takes
// 440 kB. It is not the copy of the sidecar's server, which is in the bundle that every start reads.

const PART = 'grpc';
const PACKAGES = ['@grpc/grpc-js', '@grpc/proto-loader'];

/** The packages in the part, by their names. */
const source = PACKAGES.map(
  (name) => `exports[${JSON.stringify(name)}] = require('${name}');`,
).join('\n');

/** The esbuild plugin that makes parts take the packages from there. */
const sharedGrpc = {
  name: 'shared-grpc',
  setup(build) {
    build.onResolve({ filter: /^@grpc\/(?:grpc-js|proto-loader)$/ }, ({ path }) => ({
      path,
      namespace: 'shared-grpc',
    }));
    build.onResolve({ filter: /.*/, namespace: 'shared-grpc' }, ({ path }) => ({
      path,
      external: true,
    }));
    build.onLoad({ filter: /.*/, namespace: 'shared-grpc' }, ({ path }) => ({
      contents: `module.exports = require('./${PART}.js')[${JSON.stringify(path)}];`,
    }));
  },
};

module.exports = { sharedGrpc, sharedGrpcSource: source };
