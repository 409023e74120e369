'use strict';
// A transformer of jest, which takes the changed sources of an animal in the place of ours. They are in the folder
// HOLDFAST_ZOO_SOURCES, below which each has the path that it has below src/.

const { existsSync, readFileSync } = require('node:fs');
const path = require('node:path');

const swc = require('@swc/jest');

const SOURCES = path.join(__dirname, '../../../src');

/** The text to use for a file. */
function toText(source, file) {
  const changed = path.join(process.env.HOLDFAST_ZOO_SOURCES, path.relative(SOURCES, file));
  return file.startsWith(SOURCES) && existsSync(changed) ? readFileSync(changed, 'utf8') : source;
}

module.exports = {
  createTransformer(options) {
    const inner = swc.createTransformer(options);
    return {
      process: (source, file, more) => inner.process(toText(source, file), file, more),
      // Of the text that is used, so that no run gets what another animal has left in the cache.
      getCacheKey: (source, file, more) => inner.getCacheKey(toText(source, file), file, more),
    };
  },
};
