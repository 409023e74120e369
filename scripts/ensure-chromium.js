'use strict';
// Runs before `npm run test:page`, where a browser shows the page. Looks for a Chromium in
// HOLDFAST_CHROMIUM and on the PATH. If it is missing and apt can install it without a question,
// installs Debian's. Otherwise prints the command to run.
//
// Debian's, because it comes with the libraries that it needs, and gets security updates.
// `@sparticuz/chromium` is a headless shell for AWS Lambda whose libraries have to be installed all the
// same, and playwright's own download is 170 MB from a host beside the registries.

const { ensureProgram, findOnPath, isExecutable } = require('./find-binary');

const BINARIES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** The path of a Chromium. Undefined if it is not installed. */
function findChromium(env) {
  const named = env.HOLDFAST_CHROMIUM;
  if (named) return isExecutable(named) ? named : undefined;
  return BINARIES.map((binary) => findOnPath(binary, env)).find(Boolean);
}

/** The commands to install it by hand, one for each package manager. */
function toAdvice(env) {
  const named = env.HOLDFAST_CHROMIUM;
  const reason = named
    ? `HOLDFAST_CHROMIUM names ${named}, which can't be run.`
    : 'The tests of the page need Chromium, and there is none on the PATH.';
  return `${reason} Install it by one of:
  sudo apt-get install -y --no-install-recommends chromium
  brew install --cask chromium
or set HOLDFAST_CHROMIUM to the path of one.`;
}

const PROGRAM = {
  name: 'chromium',
  package: 'chromium',
  variable: 'HOLDFAST_CHROMIUM',
  find: findChromium,
  toAdvice,
};

module.exports = { findChromium, toAdvice };

if (require.main === module) ensureProgram(PROGRAM);
