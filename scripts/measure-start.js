'use strict';
// Measures the start of `holdfast run` against a bare Node, in turns: how long until the command runs,
// with a sidecar and with a store of its own. Usage: npm run bench:start [-- ROUNDS]. The aim is 2.5
// times a bare Node's start at most (docs/command-line.md).

const { existsSync, mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { spawn, spawnSync } = require('node:child_process');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { setTimeout: pause } = require('node:timers/promises');

const main = path.join(__dirname, '..', 'dist', 'main.js');
const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-start-'));
const socket = path.join(folder, 'dapr-start-grpc.socket');
const rounds = Number(process.argv[2] ?? 20);

const component = `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: lockstore}
spec: {type: lock.in-memory, version: v1}
`;

function now() {
  return Number(process.hrtime.bigint()) / 1e6;
}

function bare() {
  const beganAt = now();
  spawnSync(process.execPath, ['-e', '0']);
  return now() - beganAt;
}

/** Until the command has run: it is the quickest there is. */
function untilCommand(...where) {
  const beganAt = Date.now();
  const command = ['--', 'date', '+%s%3N'];
  const run = [main, 'run', '--resource', 'start', ...where, ...command];
  const { stdout, status } = spawnSync(process.execPath, run, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`holdfast run ended with ${status}`);
  return Number(stdout) - beganAt;
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

async function measure() {
  const args = ['--app-id', 'start', '--resources-path', folder, '--unix-domain-socket', folder];
  const quiet = ['--enable-metrics=false', '--log-level', 'fatal'];
  const sidecar = spawn(process.execPath, [main, ...args, ...quiet], { stdio: 'ignore' });
  try {
    while (!existsSync(socket)) await pause(20);
    const cases = {
      'node -e 0': bare,
      'run, with a sidecar': () => untilCommand('--address', `unix:${socket}`),
      'run --components': () => untilCommand('--components', folder),
    };
    const times = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, start] of Object.entries(cases)) times[name].push(start());
    }
    report(times);
  } finally {
    sidecar.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(times) {
  const base = times['node -e 0'];
  for (const [name, values] of Object.entries(times)) {
    const [least, middle] = [Math.min(...values), median(values)];
    const ratio = `${(least / Math.min(...base)).toFixed(2)} and ${(middle / median(base)).toFixed(2)}`;
    const ms = `least ${least.toFixed(0)} ms, median ${middle.toFixed(0)} ms`;
    console.log(`${name.padEnd(20)} ${ms}: ${ratio} times a bare start`);
  }
}

writeFileSync(path.join(folder, 'store.yaml'), component);
measure().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
