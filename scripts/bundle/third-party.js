'use strict';
// The notice of what is bundled: each package with its version, its copyright and the terms of its licence. Most
// licences ask for that wherever the code goes.

const { existsSync, readdirSync, readFileSync } = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..', '..');

/** Files that state a licence, or what has to be told along with it. */
const LICENCE_FILES = /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i;

/** The folder of a package in the path of one of its files. */
const PACKAGE_FOLDER = /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;

/** Where the terms of a licence begin, after the copyright that is a package's own. */
const TERMS = /^(?:Permission is hereby granted|Permission to use|Redistribution and use)/m;

/**
 * The text of the notice: the terms of each licence once, after the packages that have it. Many packages differ in their
 * copyright alone, and nobody reads the same terms fifty times.
 *
 * @param inputs the files in the bundles, relative to the root of the repository (esbuild's metafile)
 * @throws {Error} if a package states no licence
 */
function toNotice(inputs) {
  const folders = new Set(inputs.flatMap((file) => PACKAGE_FOLDER.exec(file)?.[0] ?? []));
  const groups = new Map();
  for (const folder of [...folders].sort()) {
    const { title, own, terms } = describe(path.join(root, folder));
    const key = terms.replaceAll(/\s+/g, ' ');
    const { owns } = groups.get(key) ?? { owns: new Map() };
    owns.set(own, new Set(owns.get(own)).add(title));
    groups.set(key, { terms, owns });
  }
  const entries = [...groups.values()].map(({ terms, owns }) => {
    const heads = [...owns].map(([own, titles]) => [...titles, own].filter(Boolean).join('\n'));
    return `${'='.repeat(80)}\n${heads.join('\n\n')}\n${'-'.repeat(80)}\n${terms}\n`;
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
  const begin = Math.max(0, text.search(TERMS));
  const [own, terms] = [text.slice(0, begin).trim(), text.slice(begin)];
  return { title: `${name} ${version} (${license})`, own, terms };
}

function readManifest(folder) {
  const file = path.join(folder, 'package.json');
  if (!existsSync(file)) throw new Error(`${folder} has no package.json`);
  return JSON.parse(readFileSync(file, 'utf8'));
}

module.exports = { toNotice };
