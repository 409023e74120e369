'use strict';
// The notice of what is bundled: each package with its version, its licence and the licence's text. Most
// licences ask for that wherever the code goes.

const { existsSync, readdirSync, readFileSync } = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..', '..');

/** Files that state a licence, or what has to be told along with it. */
const LICENCE_FILES = /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i;

/** The folder of a package in the path of one of its files. */
const PACKAGE_FOLDER = /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;

/**
 * The text of the notice: each licence once, after the packages that have it.
 *
 * @param inputs the files in the bundles, relative to the root of the repository (esbuild's metafile)
 * @throws {Error} if a package states no licence
 */
function toNotice(inputs) {
  const folders = new Set(inputs.flatMap((file) => PACKAGE_FOLDER.exec(file)?.[0] ?? []));
  const packagesOf = new Map();
  for (const folder of [...folders].sort()) {
    const { title, text } = describe(path.join(root, folder));
    packagesOf.set(text, new Set(packagesOf.get(text)).add(title));
  }
  const entries = [...packagesOf].map(([text, titles]) => {
    return `${'='.repeat(80)}\n${[...titles].join('\n')}\n${'-'.repeat(80)}\n${text}\n`;
  });
  return `Holdfast contains these packages of others, under the licences that follow.\n\n${entries.join('\n')}`;
}

function describe(folder) {
  const { name, version, license, author } = readManifest(folder);
  if (typeof license !== 'string') throw new Error(`${name}@${version} states no licence`);
  const texts = readdirSync(folder)
    .filter((file) => LICENCE_FILES.test(file))
    .map((file) => readFileSync(path.join(folder, file), 'utf8').trim().replaceAll('\r\n', '\n'));
  // A package without the text of its licence has at least its author told.
  const by = typeof author === 'string' ? author : (author?.name ?? 'the authors of the package');
  const text = texts.length > 0 ? texts.join('\n\n') : `${license}, by ${by}`;
  return { title: `${name} ${version} (${license})`, text };
}

function readManifest(folder) {
  const file = path.join(folder, 'package.json');
  if (!existsSync(file)) throw new Error(`${folder} has no package.json`);
  return JSON.parse(readFileSync(file, 'utf8'));
}

module.exports = { toNotice };
