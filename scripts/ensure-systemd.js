'use strict';
// Runs before `npm run test:units`, where systemd-analyze tests the units in deploy/systemd. If it is missing and apt can
// install it without a question, installs systemd, which nothing starts. Otherwise prints the command to run.

const { canInstallByApt, findOnPath, installByApt } = require('./find-binary');

function main() {
  const isThere = () => findOnPath('systemd-analyze', process.env) !== undefined;
  if (isThere()) return;
  if (canInstallByApt()) {
    console.log('systemd-analyze is missing; installing systemd by apt-get');
    if (installByApt('systemd') && isThere()) return;
  }
  console.error(`The tests of the units need systemd-analyze, and there is none on the PATH. Install it by:
  sudo apt-get install -y --no-install-recommends systemd`);
  process.exitCode = 1;
}

main();
