'use strict';
// Writes V8's code cache for dist/holdfast.js after a sidecar has started and served a lock, so
// that later starts compile almost nothing. Usage: node scripts/write-code-cache.js, with the
// version of Node that will use the cache. Listens on a unix socket in a temporary folder.

const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const http = require('node:http');
const { tmpdir } = require('node:os');
const path = require('node:path');

const { cacheFileOf, launch, saveCode } = require('../dist/main.js');

/** Time limit for the sidecar, in milliseconds. */
const WITHIN_MS = 20_000;

const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-build-'));
const socketPath = path.join(folder, 'dapr-build-http.socket');

const component = (name, type, more) => `apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: ${name}
spec:
  type: ${type}
  version: v1
${more}`;

// No server listens there. node-redis is loaded and fails to connect, and its code is compiled
// anyway.
const redis = `  ignoreErrors: true
  metadata:
  - {name: redisHost, value: '127.0.0.1:1'}
`;

function post(url, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ socketPath, path: url, method: 'POST' }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode));
    });
    request.once('error', reject);
    request.end(JSON.stringify(body));
  });
}

async function untilServed() {
  const lock = { resourceId: 'r', lockOwner: 'o', expiryInSeconds: 1 };
  for (const endsAt = Date.now() + WITHIN_MS; Date.now() < endsAt;) {
    const status = await post('/v1.0-alpha1/lock/lockstore', lock).catch(() => undefined);
    if (status === 200) return post('/v1.0-alpha1/unlock/lockstore', lock);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('the sidecar did not serve in time');
}

process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
writeFileSync(path.join(folder, 'a.yaml'), component('lockstore', 'lock.in-memory', ''));
writeFileSync(path.join(folder, 'b.yaml'), component('other', 'lock.redis', redis));
const log = ['--log-level', 'fatal', '--log-file', path.join(folder, 'log')];
process.argv.push('--app-id', 'build', '--resources-path', folder, ...log);
process.argv.push('--unix-domain-socket', folder, '--enable-metrics=false', '--log-as-json');

const { script } = launch('holdfast');
untilServed().then(
  () => {
    saveCode(script, cacheFileOf('holdfast'));
    process.kill(process.pid, 'SIGTERM');
  },
  (error) => {
    console.error(error.message);
    process.exit(1);
  },
);
