'use strict';
// Builds the Dockerfile as it is, on its base and on a base without a shell, and prints the sizes. The test of the
// image (test/image) runs the results. Usage: node scripts/build-image.js

const { createHash } = require('node:crypto');
const { execFileSync } = require('node:child_process');
const { readFileSync } = require('node:fs');
const path = require('node:path');

const { ensureBases } = require('./image/base');
const { buildah } = require('./image/buildah');
const { readImageMajor } = require('./test-image-node');

const root = path.join(__dirname, '..');

/** Each checkout has images of its own. */
const id = createHash('sha256').update(root).digest('hex').slice(0, 8);

/** The names of the images: as users build it, and on a base without a shell. */
const IMAGES = {
  image: `localhost/holdfast-${id}:latest`,
  bare: `localhost/holdfast-${id}:bare`,
};

/** How many bytes the image may add to its base. */
const AT_MOST_BYTES = 8 * 2 ** 20;

/**
 * The size of daprd's image, in MB: as told in dapr/dapr issue 7795 for the releases of 2024. No registry of
 * images is asked here.
 */
const DAPRD_MB = 180;

function build(name, ...options) {
  const cache = execFileSync('npm', ['config', 'get', 'cache'], { encoding: 'utf8' }).trim();
  // What npm has fetched for this checkout is not fetched again.
  const volume = ['--volume', `${cache}:/root/.npm`];
  buildah(
    'build',
    '--quiet',
    '--format',
    'docker',
    '--pull-never',
    ...volume,
    ...options,
    '--tag',
    name,
    root,
  );
}

function main() {
  const started = Date.now();
  const major = readImageMajor(readFileSync(path.join(root, 'Dockerfile'), 'utf8'));
  const bases = ensureBases(major);
  const say = (text) => console.log(`${text} (${Math.round((Date.now() - started) / 1000)} s)`);
  say('the bases are there');
  build(IMAGES.image);
  say('built the Dockerfile');
  build(IMAGES.bare, '--build-arg', `BASE=${bases.bare}`, '--build-arg', 'NODE=/nodejs/bin/node');
  say('built the Dockerfile on a base without a shell');
}

module.exports = { AT_MOST_BYTES, DAPRD_MB, IMAGES };

if (require.main === module) main();
