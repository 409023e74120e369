'use strict';
// Provides a version of Node other than the running one, for the benchmark and for the tests on the
// image's Node. npm has them as `node-<platform>-<arch>` packages.

const { existsSync, mkdirSync } = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');

const { toolFolder } = require('./find-binary');

/** The release of each major version. They are pinned only here. */
const NODE_VERSIONS = { 20: '20.20.2', 22: '22.23.3', 24: '24.21.0', 26: '26.12.1' };

/** The binary of a major version of Node. Installs it if it is missing; throws if that fails. */
function ensureNode(major, env) {
  const version = NODE_VERSIONS[major];
  if (version === undefined) {
    throw new Error(`no release of Node ${major} is pinned, only of ${majors().join(', ')}`);
  }
  const name = `node-${process.platform}-${process.arch}`;
  const folder = path.join(toolFolder(env), `node-${version}`);
  const file = path.join(folder, 'node_modules', name, 'bin', 'node');
  if (existsSync(file)) return file;
  console.error(`Node ${version} is missing; installing ${name} by npm`);
  mkdirSync(folder, { recursive: true });
  const args = ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund'];
  spawnSync('npm', [...args, '--ignore-scripts', '--loglevel=error', `${name}@${version}`], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (!existsSync(file)) throw new Error(`npm has no ${name}@${version}`);
  return file;
}

function majors() {
  return Object.keys(NODE_VERSIONS);
}

module.exports = { NODE_VERSIONS, ensureNode };
