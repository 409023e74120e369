'use strict';
// Runs before `npm run test:image`, which builds the image without a container engine. Looks for the programs
// below on the PATH. If one is missing and apt can install it without a question, installs it. Otherwise prints the
// command to run.

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

/** The programs that are needed, and how to install a missing one by hand. */
function toAdvice(missing) {
  const needs = `The test of the image needs root, and the packages ${Object.values(PACKAGES).join(', ')} of Debian.`;
  if (missing.length === 0) return needs;
  return `${needs} Install those that are missing by:
  sudo apt-get install -y --no-install-recommends ${missing.join(' ')}`;
}

function main() {
  const missing = () => missingPackages(process.env);
  if (missing().length > 0 && canInstallByApt()) {
    console.log(`installing ${missing().join(', ')} by apt-get`);
    installByApt(...missing());
  }
  if (missing().length === 0 && process.getuid?.() === 0) return;
  console.error(toAdvice(missing()));
  process.exitCode = 1;
}

module.exports = { missingPackages, toAdvice };

if (require.main === module) main();
