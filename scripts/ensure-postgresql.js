'use strict';
// Runs before the tests, which need a real PostgreSQL. Looks for its programs in HOLDFAST_POSTGRESQL_BIN, in
// Debian's folder and on the PATH. If they are missing and apt can install them without a question, installs
// them; their service is neither started nor used. Otherwise prints the command to run.

const { existsSync, readdirSync } = require('node:fs');
const path = require('node:path');

const { ensureProgram, findOnPath, isExecutable } = require('./find-binary');

/** Where Debian keeps the programs of each version. */
const DEBIAN_FOLDER = '/usr/lib/postgresql';

/** The program that creates a database for a test. */
const BINARY = 'initdb';

/** The path of initdb for the tests. Undefined if it is not installed. */
function findPostgresql(env, debianFolder = DEBIAN_FOLDER) {
  const named = env.HOLDFAST_POSTGRESQL_BIN;
  if (named) return [path.join(named, BINARY)].find(isExecutable);
  const versions = existsSync(debianFolder) ? readdirSync(debianFolder) : [];
  const installed = versions.map((version) => path.join(debianFolder, version, 'bin', BINARY));
  return installed.find(isExecutable) ?? findOnPath(BINARY, env);
}

/** The commands to install it by hand, one for each package manager. */
function toAdvice(env) {
  const named = env.HOLDFAST_POSTGRESQL_BIN;
  const reason = named
    ? `HOLDFAST_POSTGRESQL_BIN names ${named}, which has no ${BINARY} that can be run.`
    : 'The tests need a PostgreSQL server, and there is none.';
  return `${reason} Install it by one of:
  sudo apt-get install -y postgresql
  brew install postgresql
  sudo dnf install -y postgresql-server
or set HOLDFAST_POSTGRESQL_BIN to the folder of its programs.`;
}

const PROGRAM = {
  name: 'PostgreSQL',
  package: 'postgresql',
  variable: 'HOLDFAST_POSTGRESQL_BIN',
  find: findPostgresql,
  toAdvice,
};

module.exports = { findPostgresql, toAdvice };

if (require.main === module) ensureProgram(PROGRAM);
