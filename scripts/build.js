'use strict';
// Builds dist: the launcher, the sidecar as one file, V8's code cache for it, what it loads on demand, the
// client, the page, and the licences of all packages in them. With --plain, compiles src file by file into
// plain/ instead, for tools that need single files: coverage and profiles.

const { chmodSync, copyFileSync, mkdirSync, rmSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');

const { bundle, bundleOnDemand, BUNDLES } = require('./bundle');
const { writeClient } = require('./bundle/client-package');
const { ON_DEMAND } = require('./bundle/on-demand');
const { writePage } = require('./bundle/page');
const { toNotice } = require('./bundle/third-party');

const root = path.join(__dirname, '..');
const dist = path.join(root, 'dist');

/**
 * Old output is removed first, so that a file that was deleted from src does not remain in the
 * image.
 */
async function buildBundle() {
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist);
  const inputs = await writeClient(path.join(dist, 'client'));
  const write = async (name, bundling) => {
    const { text, inputs: files } = await bundling;
    writeFileSync(path.join(dist, `${name}.js`), text);
    inputs.push(...files);
  };
  for (const name of Object.keys(BUNDLES)) await write(name, bundle(name));
  for (const name of Object.keys(ON_DEMAND)) await write(name, bundleOnDemand(name));
  inputs.push(...(await writePage(path.join(dist, 'page'))));
  writeFileSync(path.join(dist, 'THIRD-PARTY-LICENSES.txt'), toNotice(inputs));
  copyFileSync(path.join(__dirname, 'launcher.js'), path.join(dist, 'main.js'));
  chmodSync(path.join(dist, 'main.js'), 0o755);
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
