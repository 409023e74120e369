'use strict';
// Runs before `npm run test:h2spec`, which tests HTTP/2 with h2spec. It is looked for on the PATH, and
// otherwise built by `go install` into a cache folder. Without Go, prints what to install.

const { existsSync } = require('node:fs');
const path = require('node:path');

const { findOnPath, installByGo, toolFolder } = require('./find-binary');

/** The module that is built, with its version. */
const MODULE = 'github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible';

function builtPath(env) {
  return path.join(toolFolder(env), 'h2spec-2.2.1', 'h2spec');
}

/** The path of h2spec. Undefined if it is not installed. */
function findH2spec(env) {
  return existsSync(builtPath(env)) ? builtPath(env) : findOnPath('h2spec', env);
}

function main() {
  const { env } = process;
  if (findH2spec(env) ?? installByGo(MODULE, builtPath(env), env)) return;
  console.error(`The tests of HTTP/2 need h2spec. Install Go, and by it:\n  go install ${MODULE}`);
  process.exitCode = 1;
}

module.exports = { findH2spec };

if (require.main === module) main();
