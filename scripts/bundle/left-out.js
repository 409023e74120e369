'use strict';
// Modules that libraries import and Holdfast never uses: the bundle has an empty one in their place.

const LEFT_OUT = [
  // Fastify's JSON schemas: no route has one. Its test requests.
  '@fastify/ajv-compiler/index.js',
  '@fastify/fast-json-stringify-compiler/index.js',
  'light-my-request/index.js',
  // Versions of plugins: there are none.
  'semver/index.js',
  // Metrics are scraped, not pushed.
  'prom-client/lib/pushgateway.js',
];

const leftOut = {
  name: 'left-out',
  setup(build) {
    const files = LEFT_OUT.map((file) => file.replaceAll('.', '\\.')).join('|');
    build.onLoad({ filter: new RegExp(`/node_modules/(?:${files})$`) }, () => ({ contents: '' }));
  },
};

module.exports = { leftOut };
