'use strict';
// Builds dist: the launcher, the sidecar as one file, V8's code cache for it, the client, and the page. With --plain,
// compiles src file by file into plain/ instead, for tools that need single files: coverage and
// profiles.

const { chmodSync, copyFileSync, mkdirSync, rmSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');

const { bundle, BUNDLES } = require('./bundle');
const { writeClient } = require('./bundle/client-package');
const { writePage } = require('./bundle/page');

const root = path.join(__dirname, '..');
const dist = path.join(root, 'dist');

/**
 * Old output is removed first, so that a file that was deleted from src does not remain in the
 * image.
 */
async function buildBundle() {
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist);
  for (const name of Object.keys(BUNDLES)) {
    writeFileSync(path.join(dist, `${name}.js`), await bundle(name));
  }
  copyFileSync(path.join(__dirname, 'launcher.js'), path.join(dist, 'main.js'));
  chmodSync(path.join(dist, 'main.js'), 0o755);
  await writeClient(path.join(dist, 'client'));
  await writePage(path.join(dist, 'page'));
  for (const writer of ['write-code-cache.js', 'write-command-cache.js']) {
    const { status } = run(path.join(__dirname, writer));
    // Without the code cache, only the start takes longer.
    if (status !== 0) console.warn(`holdfast: ${writer} failed; starts take longer`);
  }
}

function buildPlain() {
  rmSync(path.join(root, 'plain'), { recursive: true, force: true });
  const tsc = require.resolve('typescript/bin/tsc', { paths: [root] });
  process.exitCode = run(tsc, '-p', path.join(root, 'tsconfig.build.json')).status ?? 1;
}

function run(...args) {
  return spawnSync(process.execPath, args, { stdio: 'inherit' });
}

if (process.argv.includes('--plain')) buildPlain();
else {
  buildBundle().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
