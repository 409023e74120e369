'use strict';
// Runs before test:postgresql, which needs a real PgBouncer. Looks for it in HOLDFAST_PGBOUNCER and on the PATH.
// If it is missing and apt can install it without a question, installs it. Otherwise prints the command to run.

const { ensureProgram, findNamed } = require('./find-binary');

const BINARY = 'pgbouncer';

/** The path of the pgbouncer for the tests. Undefined if it is not installed. */
function findPgbouncer(env) {
  // Debian installs it where only root looks.
  return findNamed('HOLDFAST_PGBOUNCER', BINARY, { ...env, PATH: `${env.PATH ?? ''}:/usr/sbin` });
}

/** The commands to install it by hand, one for each package manager. */
function toAdvice() {
  return `The tests need ${BINARY}. Install it by one of:
  sudo apt-get install -y pgbouncer
  brew install pgbouncer
  sudo dnf install -y pgbouncer
or set HOLDFAST_PGBOUNCER to the path of one.`;
}

const PROGRAM = {
  name: BINARY,
  package: 'pgbouncer',
  variable: 'HOLDFAST_PGBOUNCER',
  find: findPgbouncer,
  toAdvice,
};

module.exports = { findPgbouncer };

if (require.main === module) ensureProgram(PROGRAM);
