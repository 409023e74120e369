'use strict';
// Modules that libraries import and Holdfast never uses: the bundle has an empty one in their place.

const { replaceModules } = require('./replace-modules');

const LEFT_OUT = [
  // Fastify's JSON schemas: no route has one. Its test requests. Versions of its plugins: there are none.
  '@fastify/ajv-compiler/index.js',
  '@fastify/fast-json-stringify-compiler/index.js',
  'light-my-request/index.js',
  'semver/index.js',
  // Metrics are scraped, not pushed.
  'prom-client/lib/pushgateway.js',
];

/** esbuild's plugin for that. */
const leftOut = replaceModules(
  'left-out',
  Object.fromEntries(LEFT_OUT.map((file) => [file, () => ''])),
);

module.exports = { leftOut };
