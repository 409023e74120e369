'use strict';
// grpc-js, proto-loader and protobufjs as one part of dist, which several parts and the sidecar load on demand: a
// second copy would take 440 kB. The sidecar loads grpc-js for its server of that name, and proto-loader for messages
// that have no codec of their own.

const PART = 'grpc';
const PACKAGES = ['@grpc/grpc-js', '@grpc/proto-loader', 'protobufjs/ext/descriptor'];

/** The packages in the part, by their names. Each runs when it is first asked for. */
const source = PACKAGES.map((name) => {
  const key = JSON.stringify(name);
  return `Object.defineProperty(exports, ${key}, { enumerable: true, get: () => require(${key}) });`;
}).join('\n');

const FILTER = new RegExp(`^(?:${PACKAGES.join('|')})$`);

/** The esbuild plugin that makes parts take the packages from there. */
const sharedGrpc = {
  name: 'shared-grpc',
  setup(build) {
    build.onResolve({ filter: FILTER }, ({ path }) => ({
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
