'use strict';
// npm runs this after `npm ci`: it builds dist, so that no third command is needed.
// `npm ci --omit=dev` leaves no compiler; then dist must be there already (the image's
// runtime stage copies it from the build stage), and there is nothing to do here.

let compilerInstalled = true;
try {
  require.resolve('typescript/bin/tsc');
} catch {
  compilerInstalled = false;
}
if (compilerInstalled) require('./build.js');
else console.log('holdfast: no compiler installed (development packages omitted); not building');
