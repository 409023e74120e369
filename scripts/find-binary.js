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

/** The path of a binary: what a variable names, or the first on the PATH. Undefined if there is none. */
function findNamed(variable, binary, env) {
  const named = env[variable];
  if (named) return isExecutable(named) ? named : undefined;
  return findOnPath(binary, env);
}

/** The facts that decide whether apt can install here. */
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
 * Makes sure that a program is there: what a variable names, or else one that apt installs if it is missing.
 * Otherwise prints the advice, and the process ends with exit code 1.
 */
function ensureProgram({ name, package: debian, variable, find, toAdvice }) {
  const { env } = process;
  if (find(env)) return;
  if (!env[variable] && canInstallByApt()) {
    console.log(`${name} is missing; installing ${debian} by apt-get`);
    if (installByApt(debian) && find(env)) return;
  }
  console.error(toAdvice(env));
  process.exitCode = 1;
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
  ensureProgram,
  findNamed,
  findOnPath,
  installByApt,
  installByGo,
  isExecutable,
  toolFolder,
};
