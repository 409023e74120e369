'use strict';
// What the scripts that look for a binary, or install one, have in common.

const { spawnSync } = require('node:child_process');
const { accessSync, constants } = require('node:fs');
const { homedir } = require('node:os');
const path = require('node:path');

/** Whether a file is there and may be run. */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The path of the first binary of a name on the PATH, undefined where there is none. */
function findOnPath(binary, env) {
  const folders = (env.PATH ?? '').split(path.delimiter).filter(Boolean);
  return folders.map((folder) => path.join(folder, binary)).find(isExecutable);
}

/** True where apt installs without asking anybody: root, on Debian or a relative of it. */
function canInstallByApt({ uid, hasApt }) {
  return uid === 0 && hasApt;
}

/** Installs a package, without starting the service that it may bring along; whether that went well. */
function installByApt(name) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const run = (...args) =>
    spawnSync('apt-get', args, { env, stdio: ['ignore', 'inherit', 'inherit'] });
  run('update');
  return run('install', '-y', '--no-install-recommends', name).status === 0;
}

/** Where installed tools are kept: outside the repository, shared by its clones. */
function toolFolder(env) {
  const cache = env.XDG_CACHE_HOME || path.join(env.HOME || homedir(), '.cache');
  return path.join(cache, 'holdfast', 'bench-tools');
}

module.exports = { canInstallByApt, findOnPath, installByApt, isExecutable, toolFolder };
