'use strict';
// `npm run test:image-node`: runs the tests of the served APIs on the image's version of Node, with
// sidecars that run on it too. Other arguments are passed to Jest: `-- test/grpc` runs some of the
// tests.

const { readFileSync } = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');

const { ensureNode } = require('./ensure-node');

const root = path.join(__dirname, '..');
const TESTS = ['test/conformance', 'test/e2e', 'test/grpc', 'test/http'];

/** The major version of Node in a Dockerfile. Throws if it names none. */
function readImageMajor(dockerfile) {
  const [, major] = /^ARG NODE_VERSION=(\d+)$/m.exec(dockerfile) ?? [];
  if (major === undefined)
    throw new Error('the Dockerfile has no ARG NODE_VERSION=<major version>');
  return major;
}

/**
 * The Node of the image: HOLDFAST_IMAGE_NODE, or the pinned release of the Dockerfile's major
 * version.
 */
function findImageNode(env) {
  if (env.HOLDFAST_IMAGE_NODE) return env.HOLDFAST_IMAGE_NODE;
  return ensureNode(readImageMajor(readFileSync(path.join(root, 'Dockerfile'), 'utf8')), env);
}

function main(tests) {
  const node = findImageNode(process.env);
  // Programs that start `node` or npm use this version too.
  const PATH = [path.dirname(node), process.env.PATH].join(path.delimiter);
  const run = (...args) => {
    const env = { ...process.env, PATH };
    return spawnSync(node, args, { cwd: root, env, stdio: 'inherit' }).status ?? 1;
  };
  run('-p', '`on Node ${process.versions.node}`');
  // As the build of the image does. The cache of the Node that built dist stays beside it.
  run(path.join(__dirname, 'write-code-cache.js'));
  const jest = path.join(root, 'node_modules/jest/bin/jest.js');
  process.exitCode = run(jest, ...(tests.length > 0 ? tests : TESTS));
}

module.exports = { findImageNode, readImageMajor };

if (require.main === module) main(process.argv.slice(2));
