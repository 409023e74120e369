'use strict';
// Runs before the benchmark, which needs load generators that are faster than the servers under
// test. h2load comes from the system's packages; vegeta is built by `go install` into a cache
// folder. Installed tools are used as they are. For a tool that can't be installed, prints the
// command that does it. etcd is compared with if it can be installed, and left out if not.

const { createHash } = require('node:crypto');
const { existsSync, readFileSync } = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');

const {
  canInstallByApt,
  findOnPath,
  installByApt,
  installByGo,
  isExecutable,
  toolFolder,
} = require('./find-binary');

/** The versions whose output the benchmark can read. They are pinned only here. */
const VERSIONS = { vegeta: 'v12.13.0' };

/** The path of h2load. Undefined if it is not installed. */
function findH2load(env) {
  return findOnPath('h2load', env);
}

/** The path of vegeta in the pinned version. */
function vegetaPath(env) {
  return path.join(toolFolder(env), `vegeta-${VERSIONS.vegeta}`, 'vegeta');
}

function installH2load(env) {
  if (!canInstallByApt()) return undefined;
  console.error('h2load is missing; installing it by apt-get');
  const quiet = { ...env, DEBIAN_FRONTEND: 'noninteractive' };
  const run = (...args) =>
    spawnSync('apt-get', args, { env: quiet, stdio: ['ignore', 'ignore', 'inherit'] });
  run('update');
  run('install', '-y', '--no-install-recommends', 'nghttp2-client');
  return findH2load(env);
}

function installVegeta(env) {
  return installByGo(`github.com/tsenart/vegeta/v12@${VERSIONS.vegeta}`, vegetaPath(env), env);
}

/**
 * Finds redis-benchmark, which is installed with redis-server: beside the given server, or on the
 * PATH.
 */
function findRedisBenchmark(env) {
  const beside = path.join(path.dirname(env.HOLDFAST_REDIS_SERVER || '.'), 'redis-benchmark');
  if (env.HOLDFAST_REDIS_SERVER && isExecutable(beside)) return beside;
  return findOnPath('redis-benchmark', env);
}

/**
 * Installs missing load generators and returns their paths. Throws with instructions if that fails.
 */
function ensureLoadGenerators(env) {
  const h2load = findH2load(env) ?? installH2load(env);
  if (h2load === undefined) {
    throw new Error(`The benchmark needs h2load. Install it by one of:
  sudo apt-get install -y nghttp2-client
  brew install nghttp2
  sudo dnf install -y nghttp2`);
  }
  const vegeta = existsSync(vegetaPath(env)) ? vegetaPath(env) : installVegeta(env);
  if (vegeta === undefined) {
    throw new Error(`The benchmark needs vegeta ${VERSIONS.vegeta}, which Go 1.22 or newer builds:
  GOBIN=${path.dirname(vegetaPath(env))} go install github.com/tsenart/vegeta/v12@${VERSIONS.vegeta}`);
  }
  const redisBenchmark = findRedisBenchmark(env);
  if (redisBenchmark === undefined) {
    throw new Error(
      'The benchmark needs redis-benchmark, which comes with redis-server (redis-tools).',
    );
  }
  return { h2load, vegeta, redisBenchmark };
}

/** The program that hands a lock of etcd on by etcd's own client, which is written in Go. */
const HAND_OVER = path.join(__dirname, '../bench/handover/etcd');

/** The path of that program as built from its present source. */
function handOverPath(env) {
  const hash = createHash('sha256');
  for (const file of ['main.go', 'go.mod']) hash.update(readFileSync(path.join(HAND_OVER, file)));
  return path.join(toolFolder(env), `etcd-hand-over-${hash.digest('hex').slice(0, 12)}`);
}

function buildHandOver(env) {
  if (findOnPath('go', env) === undefined) return undefined;
  const file = handOverPath(env);
  console.error('building the program that uses the client of etcd');
  const { status, stderr } = spawnSync('go', ['build', '-o', file, '.'], {
    cwd: HAND_OVER,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (status !== 0) console.error(String(stderr));
  return existsSync(file) ? file : undefined;
}

function installEtcd(env) {
  if (!canInstallByApt()) return undefined;
  console.error('etcd is missing; installing it by apt-get');
  return installByApt('etcd-server') ? findOnPath('etcd', env) : undefined;
}

/**
 * The paths of etcd and of the program that uses its client, installed if they are missing.
 * Undefined if that is not possible: then the benchmark does without etcd.
 */
function ensureEtcd(env) {
  const server = findOnPath('etcd', env) ?? installEtcd(env);
  if (server === undefined) return undefined;
  const handOver = existsSync(handOverPath(env)) ? handOverPath(env) : buildHandOver(env);
  return handOver === undefined ? undefined : { server, handOver };
}

module.exports = { VERSIONS, ensureEtcd, ensureLoadGenerators, vegetaPath };

if (require.main === module) {
  try {
    ensureLoadGenerators(process.env);
    if (ensureEtcd(process.env) === undefined) {
      console.error('etcd or Go is missing; the benchmark does without etcd');
    }
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
