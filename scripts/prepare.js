'use strict';
// Runs after `npm ci` and builds dist, so that no separate build command is needed. `npm ci
// --omit=dev` installs no compiler. Then dist must exist already (the runtime stage of the image
// copies it from the build stage), and there is nothing to do.

let compilerInstalled = true;
try {
  require.resolve('typescript/bin/tsc');
} catch {
  compilerInstalled = false;
}
if (compilerInstalled) require('./build.js');
else console.log('holdfast: no compiler installed (development packages omitted); not building');
