'use strict';
// Runs after `npm ci` and before `npm pack`, and builds dist, so that no separate build command is needed. `npm ci
// --omit=dev` installs nothing to build with, and then there is nothing to do. A package without dist would be of no
// use, so that is an error before npm packs.

let compilerInstalled = true;
try {
  require.resolve('typescript/bin/tsc');
} catch {
  compilerInstalled = false;
}
const command = process.env.npm_command;
if (compilerInstalled) require('./build.js');
else if (command === 'pack' || command === 'publish') {
  console.error(
    `holdfast: nothing is installed that could build it: run npm ci before npm ${command}`,
  );
  process.exitCode = 1;
} else console.log('holdfast: no compiler installed (development packages omitted); not building');
