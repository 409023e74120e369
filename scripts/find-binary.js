'use strict';
// Shared by the scripts that find or install a binary.

const { spawnSync } = require('node:child_process');
const { accessSync, constants, existsSync, mkdirSync } = require('node:fs');
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

/** What decides whether apt can install here. */
function thisMachine() {
  return { uid: process.getuid?.(), hasApt: existsSync('/usr/bin/apt-get') };
}

/** True if apt can install without a question: as root, on Debian or a derivative. */
function canInstallByApt({ uid, hasApt } = thisMachine()) {
  return uid === 0 && hasApt;
}

/** Installs packages without starting their services. Returns true if it succeeded. */
function installByApt(...names) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const run = (...args) =>
    spawnSync('apt-get', args, { env, stdio: ['ignore', 'inherit', 'inherit'] });
  run('update');
  return run('install', '-y', '--no-install-recommends', ...names).status === 0;
}

/**
 * Builds a program from a Go module, `module@version`, into a file. Returns its path, or undefined if
 * it can't be built.
 */
function installByGo(module, file, env) {
  if (findOnPath('go', env) === undefined) return undefined;
  const GOBIN = path.dirname(file);
  mkdirSync(GOBIN, { recursive: true });
  console.error(`${path.basename(file)} is missing; building ${module} by go install`);
  const { status, stderr } = spawnSync('go', ['install', module], {
    env: { ...env, GOBIN },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (status !== 0) console.error(String(stderr));
  return existsSync(file) ? file : undefined;
}

/** The folder for installed tools: outside the repository, so that its clones share it. */
function toolFolder(env) {
  const cache = env.XDG_CACHE_HOME || path.join(env.HOME || homedir(), '.cache');
  return path.join(cache, 'holdfast', 'bench-tools');
}

module.exports = {
  canInstallByApt,
  findOnPath,
  installByApt,
  installByGo,
  isExecutable,
  toolFolder,
};
