'use strict';
// Shared by the scripts that find or install a binary.

const { spawnSync } = require('node:child_process');
const { accessSync, constants } = require('node:fs');
const { homedir } = require('node:os');
const path = require('node:path');

/** True if a file exists and can be executed. */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The path of the first binary with a name on the PATH. Undefined if there is none. */
function findOnPath(binary, env) {
  const folders = (env.PATH ?? '').split(path.delimiter).filter(Boolean);
  return folders.map((folder) => path.join(folder, binary)).find(isExecutable);
}

/** True if apt can install without a question: as root, on Debian or a derivative. */
function canInstallByApt({ uid, hasApt }) {
  return uid === 0 && hasApt;
}

/** Installs a package without starting its service. Returns true if it succeeded. */
function installByApt(name) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const run = (...args) =>
    spawnSync('apt-get', args, { env, stdio: ['ignore', 'inherit', 'inherit'] });
  run('update');
  return run('install', '-y', '--no-install-recommends', name).status === 0;
}

/** The folder for installed tools: outside the repository, so that its clones share it. */
function toolFolder(env) {
  const cache = env.XDG_CACHE_HOME || path.join(env.HOME || homedir(), '.cache');
  return path.join(cache, 'holdfast', 'bench-tools');
}

module.exports = { canInstallByApt, findOnPath, installByApt, isExecutable, toolFolder };
