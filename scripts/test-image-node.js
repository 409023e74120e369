'use strict';
// `npm run test:image-node`: the tests of what is served, on the Node that the image has and with sidecars
// that it runs. Other arguments are Jest's: `-- test/grpc` for some of them only.

const { readFileSync } = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');

const { ensureNode } = require('./ensure-node');

const root = path.join(__dirname, '..');
const TESTS = [
  'test/conformance',
  'test/e2e',
  'test/grpc',
  'test/http',
  'test/runtime/stream-table',
];

/** The major version that the image is made with; throws where the Dockerfile names none. */
function readImageMajor(dockerfile) {
  const [, major] = /^ARG NODE_VERSION=(\d+)$/m.exec(dockerfile) ?? [];
  if (major === undefined)
    throw new Error('the Dockerfile has no ARG NODE_VERSION=<major version>');
  return major;
}

/** The Node of the image: HOLDFAST_IMAGE_NODE, or the pinned release of what the Dockerfile names. */
function findImageNode(env) {
  if (env.HOLDFAST_IMAGE_NODE) return env.HOLDFAST_IMAGE_NODE;
  return ensureNode(readImageMajor(readFileSync(path.join(root, 'Dockerfile'), 'utf8')), env);
}

function main(tests) {
  const node = findImageNode(process.env);
  // What calls `node` or npm gets this one too.
  const PATH = [path.dirname(node), process.env.PATH].join(path.delimiter);
  const run = (...args) => {
    const env = { ...process.env, PATH };
    return spawnSync(node, args, { cwd: root, env, stdio: 'inherit' }).status ?? 1;
  };
  run('-p', '`on Node ${process.versions.node}`');
  // As the image's build does. That of the Node that has built dist stays beside it.
  run(path.join(__dirname, 'write-code-cache.js'));
  const jest = path.join(root, 'node_modules/jest/bin/jest.js');
  process.exitCode = run(jest, ...(tests.length > 0 ? tests : TESTS));
}

module.exports = { findImageNode, readImageMajor };

if (require.main === module) main(process.argv.slice(2));
