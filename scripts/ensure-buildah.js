'use strict';
// Runs before `npm run test:image`, which builds the image without a container engine. Looks for the programs
// below on the PATH. If one is missing and apt can install it without a question, installs it. Otherwise prints the
// command to run.

const { existsSync } = require('node:fs');

const { canInstallByApt, findOnPath, installByApt } = require('./find-binary');

/** The programs, and Debian's packages that have them: they build images, make a base, and run what is built. */
const PACKAGES = {
  buildah: 'buildah',
  debootstrap: 'debootstrap',
  bwrap: 'bubblewrap',
  setpriv: 'util-linux',
};

/** The packages that are missing. */
function missingPackages(env) {
  const missing = Object.entries(PACKAGES).filter(([program]) => !findOnPath(program, env));
  return missing.map(([, name]) => name);
}

/** What is needed, and how it can be installed by hand. */
function toAdvice(packages) {
  return `The test of the image needs ${packages.join(', ')}, and root on Debian or a derivative. Install by:
  sudo apt-get install -y --no-install-recommends ${packages.join(' ')}`;
}

function main() {
  if (missingPackages(process.env).length === 0) return;
  const apt = { uid: process.getuid?.(), hasApt: existsSync('/usr/bin/apt-get') };
  if (canInstallByApt(apt)) {
    const packages = missingPackages(process.env);
    console.log(`installing ${packages.join(', ')} by apt-get`);
    if (installByApt(...packages) && missingPackages(process.env).length === 0) return;
  }
  console.error(toAdvice(missingPackages(process.env)));
  process.exitCode = 1;
}

module.exports = { missingPackages, toAdvice };

if (require.main === module) main();
