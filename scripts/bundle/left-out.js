'use strict';
// Modules that libraries import but Holdfast never uses. The bundle contains empty ones instead.

const { replaceModules } = require('./replace-modules');

const LEFT_OUT = [
  // Fastify's JSON schemas (no route has one), its test requests, and its check of plugin versions
  // (there are no plugins).
  '@fastify/ajv-compiler/index.js',
  '@fastify/fast-json-stringify-compiler/index.js',
  'light-my-request/index.js',
  'semver/index.js',
  // Metrics are scraped, not pushed.
  'prom-client/lib/pushgateway.js',
];

/** The esbuild plugin that replaces them. */
const leftOut = replaceModules(
  'left-out',
  Object.fromEntries(LEFT_OUT.map((file) => [file, () => ''])),
);

/**
 * The esbuild plugin that leaves node:http2 out of Fastify, which serves HTTP/1.1 here. Loading it takes 3 MB, and
 * a sidecar on its own gRPC server needs it for nothing else.
 */
const noHttp2InFastify = {
  name: 'no-http2-in-fastify',
  setup(build) {
    build.onResolve({ filter: /^node:http2$/ }, ({ importer }) =>
      /\/node_modules\/fastify\/lib\/server\.js$/.test(importer)
        ? { path: 'http2', namespace: 'no-http2-in-fastify' }
        : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'no-http2-in-fastify' }, () => ({ contents: '' }));
  },
};

module.exports = { leftOut, noHttp2InFastify };
