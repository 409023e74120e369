'use strict';
// Runs before `npm run test:alerts`: promtool holds the alert rules against their tests. Finds one
// (HOLDFAST_PROMTOOL, then PATH); where there is none and apt can install it without asking, installs the
// package that has it; otherwise says which one command does.

const { existsSync } = require('node:fs');
const { spawnSync } = require('node:child_process');

const { canInstallByApt, findOnPath, isExecutable } = require('./find-binary');

/** The path of promtool, undefined where there is none. */
function findPromtool(env) {
  const named = env.HOLDFAST_PROMTOOL;
  if (named) return isExecutable(named) ? named : undefined;
  return findOnPath('promtool', env);
}

/** What to do by hand, one command for each package manager. */
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

function installByApt() {
  const env = {
    ...process.env,
    DEBIAN_FRONTEND: 'noninteractive',
    // Keeps the package from starting a Prometheus of its own.
    RUNLEVEL: '1',
  };
  const run = (...args) =>
    spawnSync('apt-get', args, { env, stdio: ['ignore', 'inherit', 'inherit'] });
  run('update');
  return run('install', '-y', '--no-install-recommends', 'prometheus').status === 0;
}

function main() {
  if (findPromtool(process.env)) return;
  const apt = { uid: process.getuid?.(), hasApt: existsSync('/usr/bin/apt-get') };
  if (!process.env.HOLDFAST_PROMTOOL && canInstallByApt(apt)) {
    console.log('promtool is missing; installing prometheus by apt-get');
    if (installByApt() && findPromtool(process.env)) return;
  }
  console.error(toAdvice(process.env));
  process.exitCode = 1;
}

module.exports = { findPromtool, toAdvice };

if (require.main === module) main();
