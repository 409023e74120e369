'use strict';
// Runs before test:postgresql, which needs a real PgBouncer. Looks for it in HOLDFAST_PGBOUNCER and on the PATH.
// If it is missing and apt can install it without a question, installs it. Otherwise prints the command to run.

const { canInstallByApt, findOnPath, installByApt, isExecutable } = require('./find-binary');

const BINARY = 'pgbouncer';

/** The path of the pgbouncer for the tests. Undefined if it is not installed. */
function findPgbouncer(env) {
  const named = env.HOLDFAST_PGBOUNCER;
  if (named) return isExecutable(named) ? named : undefined;
  // Debian installs it where only root looks.
  const PATH = `${env.PATH ?? ''}:/usr/sbin`;
  return findOnPath(BINARY, { PATH });
}

function main() {
  if (findPgbouncer(process.env)) return;
  if (canInstallByApt() && installByApt(BINARY) && findPgbouncer(process.env)) return;
  console.error(`The tests need ${BINARY}. Install it by one of:
  sudo apt-get install -y pgbouncer
  brew install pgbouncer
  sudo dnf install -y pgbouncer
or set HOLDFAST_PGBOUNCER to the path of one.`);
  process.exitCode = 1;
}

module.exports = { findPgbouncer };

if (require.main === module) main();
