'use strict';
// Buildah as the test of the image uses it: without a daemon, without namespaces of its own, and with a store of
// images beside the other tools of the tests, outside the repository.

const { execFileSync } = require('node:child_process');
const { mkdirSync } = require('node:fs');
const path = require('node:path');

const { toolFolder } = require('../find-binary');

/** The folder of the stored images. */
function imageFolder() {
  const folder = path.join(toolFolder(process.env), 'image');
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Runs buildah, which writes to standard error as it works. Returns its output. Throws if it fails. */
function buildah(...args) {
  const folder = imageFolder();
  const store = ['--root', path.join(folder, 'storage'), '--runroot', path.join(folder, 'run')];
  const output = execFileSync('buildah', [...store, '--storage-driver', 'vfs', ...args], {
    env: { ...process.env, BUILDAH_ISOLATION: 'chroot' },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 26,
  });
  return output.trim();
}

/** The configuration of a stored image (OCI). Undefined if there is no such image. */
function configOf(image) {
  if (!buildah('images', '--format', '{{.Name}}:{{.Tag}}').split('\n').includes(image))
    return undefined;
  return JSON.parse(buildah('inspect', '--type', 'image', image)).OCIv1.config;
}

/** Makes an image of what `fill` puts into a folder. */
function imageOf(name, config, fill) {
  const container = buildah('from', 'scratch');
  try {
    fill(buildah('mount', container));
    buildah('config', ...config, container);
    buildah('commit', '--quiet', container, name);
  } finally {
    buildah('rm', container);
  }
}

module.exports = { buildah, configOf, imageFolder, imageOf };
