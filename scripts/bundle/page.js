'use strict';
// Builds the page for people: one script without comments, and the files that stand beside it. The
// sidecar reads them into memory at its start (src/app/page-files.ts).

const { copyFileSync, mkdirSync, readFileSync } = require('node:fs');
const path = require('node:path');
const esbuild = require('esbuild');

const root = path.join(__dirname, '..', '..');
const source = path.join(root, 'src', 'page');

/** Copied as they are. */
const FILES = ['index.html', 'icon.svg'];

/** Writes the page into a folder. Returns the files that it consists of. */
async function writePage(folder) {
  mkdirSync(folder, { recursive: true });
  const { metafile } = await esbuild.build({
    absWorkingDir: root,
    metafile: true,
    entryPoints: [
      { in: path.join(source, 'main.tsx'), out: 'page' },
      { in: path.join(source, 'page.css'), out: 'page' },
    ],
    outdir: folder,
    bundle: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    minify: true,
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'warning',
    banner: { js: toNotice() },
  });
  for (const name of FILES) copyFileSync(path.join(source, name), path.join(folder, name));
  return Object.keys(metafile.inputs);
}

/** The notice that the licence of the bundled library asks for. */
function toNotice() {
  const folder = path.dirname(require.resolve('preact/package.json'));
  const { version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const licence = readFileSync(path.join(folder, 'LICENSE'), 'utf8').trim();
  return `/*! Contains preact ${version}\n\n${licence} */`;
}

module.exports = { writePage };
