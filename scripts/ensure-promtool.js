'use strict';
// Runs before `npm run test:alerts`, where promtool tests the alert rules. Looks for promtool in
// HOLDFAST_PROMTOOL and on the PATH. If it is missing and apt can install it without a question,
// installs its package. Otherwise prints the command to run.

const { canInstallByApt, findOnPath, installByApt, isExecutable } = require('./find-binary');

/** The path of promtool. Undefined if it is not installed. */
function findPromtool(env) {
  const named = env.HOLDFAST_PROMTOOL;
  if (named) return isExecutable(named) ? named : undefined;
  return findOnPath('promtool', env);
}

/** The commands to install it by hand, one for each package manager. */
function toAdvice(env) {
  const named = env.HOLDFAST_PROMTOOL;
  const reason = named
    ? `HOLDFAST_PROMTOOL names ${named}, which can't be run.`
    : 'The tests of the alert rules need promtool, and there is none on the PATH.';
  return `${reason} It comes with Prometheus; install that by one of:
  sudo apt-get install -y --no-install-recommends prometheus
  brew install prometheus
or set HOLDFAST_PROMTOOL to the path of one.`;
}

function main() {
  if (findPromtool(process.env)) return;
  if (!process.env.HOLDFAST_PROMTOOL && canInstallByApt()) {
    console.log('promtool is missing; installing prometheus by apt-get');
    if (installByApt('prometheus') && findPromtool(process.env)) return;
  }
  console.error(toAdvice(process.env));
  process.exitCode = 1;
}

module.exports = { findPromtool, toAdvice };

if (require.main === module) main();
