'use strict';
// Runs before the tests, which need a real redis-server. Looks for it in HOLDFAST_REDIS_SERVER and
// on the PATH. If it is missing and apt can install it without a question, installs it. Otherwise
// prints the command to run. Tests are never skipped because Redis is missing.

const { canInstallByApt, ensureProgram, findNamed } = require('./find-binary');

const BINARY = 'redis-server';

/** The path of the redis-server for the tests. Undefined if it is not installed. */
function findRedisServer(env) {
  return findNamed('HOLDFAST_REDIS_SERVER', BINARY, env);
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

const PROGRAM = {
  name: BINARY,
  package: 'redis-server',
  variable: 'HOLDFAST_REDIS_SERVER',
  find: findRedisServer,
  toAdvice,
};

module.exports = { canInstallByApt, findRedisServer, toAdvice };

if (require.main === module) ensureProgram(PROGRAM);
