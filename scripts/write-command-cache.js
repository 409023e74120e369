'use strict';
// Writes V8's code cache for dist/commands.js after it has run a command under a lock twice: once with
// a sidecar, and once with a store of its own. Usage: node scripts/write-command-cache.js, with the
// version of Node that will use the cache. The sidecar listens on a unix socket in a temporary folder.

const { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { spawn } = require('node:child_process');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { setTimeout: pause } = require('node:timers/promises');

const launcher = path.join(__dirname, '..', 'dist', 'main.js');
const { cacheFileOf, launch, saveCode } = require(launcher);

/** Time limit for the sidecar, in milliseconds. */
const WITHIN_MS = 20_000;

const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-build-'));
const socket = path.join(folder, 'dapr-build-grpc.socket');

const component = `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: lockstore}
spec: {type: lock.in-memory, version: v1}
`;

// Nobody listens there. node-redis is loaded and fails to connect, and its code is compiled anyway.
const redis = `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: other}
spec:
  type: lock.redis
  version: v1
  initTimeout: 200ms
  metadata: [{name: redisHost, value: '127.0.0.1:1'}]
`;

function startSidecar() {
  const args = ['--app-id', 'build', '--resources-path', path.join(folder, 'memory')];
  const quiet = ['--unix-domain-socket', folder, '--enable-metrics=false', '--log-level', 'fatal'];
  return spawn(process.execPath, [launcher, ...args, ...quiet], { stdio: 'ignore' });
}

async function untilListening() {
  for (const endsAt = Date.now() + WITHIN_MS; Date.now() < endsAt; await pause(20)) {
    if (existsSync(socket)) return;
  }
  throw new Error('the sidecar did not listen in time');
}

function writeComponents() {
  for (const [name, text] of Object.entries({ memory: component, redis })) {
    mkdirSync(path.join(folder, name));
    writeFileSync(path.join(folder, name, 'store.yaml'), text);
  }
}

async function main() {
  writeComponents();
  const sidecar = startSidecar();
  try {
    await untilListening();
    await writeCache();
  } finally {
    sidecar.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

async function writeCache() {
  const { script, exports } = launch('commands');
  const { env, stdin, stdout, stderr } = process;
  const context = { env, stdin, stdout, stderr, say: () => undefined };
  const command = ['--resource', 'r', '--', process.execPath, '-e', '0'];
  const run = (...where) => exports.runProgram(['run', ...where, ...command], context);
  const exitCodes = [
    await run('--address', `unix:${socket}`),
    await run('--components', path.join(folder, 'memory')),
  ];
  await run('--components', path.join(folder, 'redis'), '--store', 'other');
  if (exitCodes.some((code) => code !== 0)) throw new Error(`run: exit codes ${exitCodes}`);
  saveCode(script, cacheFileOf('commands'));
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
