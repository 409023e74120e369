'use strict';
// Runs before the tests, which need a real redis-server. Looks for it in HOLDFAST_REDIS_SERVER and
// on the PATH. If it is missing and apt can install it without a question, installs it. Otherwise
// prints the command to run. Tests are never skipped because Redis is missing.

const { canInstallByApt, findOnPath, installByApt, isExecutable } = require('./find-binary');

const BINARY = 'redis-server';

/** The path of the redis-server for the tests. Undefined if it is not installed. */
function findRedisServer(env) {
  const named = env.HOLDFAST_REDIS_SERVER;
  if (named) return isExecutable(named) ? named : undefined;
  return findOnPath(BINARY, env);
}

/** The commands to install it by hand, one for each package manager. */
function toAdvice(env) {
  const named = env.HOLDFAST_REDIS_SERVER;
  const reason = named
    ? `HOLDFAST_REDIS_SERVER names ${named}, which can't be run.`
    : `The tests need ${BINARY}, and there is none on the PATH.`;
  return `${reason} Install it by one of:
  sudo apt-get install -y redis-server
  brew install redis
  sudo dnf install -y redis
or set HOLDFAST_REDIS_SERVER to the path of one.`;
}

function main() {
  if (findRedisServer(process.env)) return;
  if (!process.env.HOLDFAST_REDIS_SERVER && canInstallByApt()) {
    console.log(`${BINARY} is missing; installing it by apt-get`);
    if (installByApt(BINARY) && findRedisServer(process.env)) return;
  }
  console.error(toAdvice(process.env));
  process.exitCode = 1;
}

module.exports = { canInstallByApt, findRedisServer, toAdvice };

if (require.main === module) main();
