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

module.exports = { leftOut };
