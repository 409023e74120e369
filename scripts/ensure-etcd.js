'use strict';
// Runs before the tests, which need a real etcd. Looks for it in HOLDFAST_ETCD and on the PATH. If it is
// missing and apt can install it without a question, installs it, without starting its service.
// Otherwise prints the command to run. Tests are never skipped because etcd is missing.

const { ensureProgram, findNamed } = require('./find-binary');

const BINARY = 'etcd';
const PACKAGE = 'etcd-server';

/** The path of the etcd for the tests. Undefined if it is not installed. */
function findEtcd(env) {
  return findNamed('HOLDFAST_ETCD', BINARY, env);
}

/** The commands to install it by hand, one for each package manager. */
function toAdvice(env) {
  const named = env.HOLDFAST_ETCD;
  const reason = named
    ? `HOLDFAST_ETCD names ${named}, which can't be run.`
    : `The tests need ${BINARY}, and there is none on the PATH.`;
  return `${reason} Install it by one of:
  sudo apt-get install -y ${PACKAGE}
  brew install etcd
  sudo dnf install -y etcd
or set HOLDFAST_ETCD to the path of one.`;
}

const PROGRAM = {
  name: BINARY,
  package: PACKAGE,
  variable: 'HOLDFAST_ETCD',
  find: findEtcd,
  toAdvice,
};

module.exports = { findEtcd, toAdvice };

if (require.main === module) ensureProgram(PROGRAM);
