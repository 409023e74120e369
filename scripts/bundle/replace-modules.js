'use strict';

const path = require('node:path');

/**
 * An esbuild plugin that replaces the sources of files in node_modules. The build fails if no
 * import leads to one of these files any more: an upgrade that moves the file would silently bring
 * its original back.
 */
function replaceModules(name, sources) {
  return {
    name,
    setup(build) {
      const missing = new Set(Object.keys(sources));
      for (const [file, toSource] of Object.entries(sources)) {
        const filter = new RegExp(`/node_modules/${file.replaceAll('.', '\\.')}$`);
        build.onLoad({ filter }, ({ path: found }) => {
          missing.delete(file);
          return { contents: toSource(), resolveDir: path.dirname(found) };
        });
      }
      build.onEnd(() => {
        if (missing.size > 0)
          throw new Error(`${name}: no module imports ${[...missing].join(', ')} any more`);
      });
    },
  };
}

module.exports = { replaceModules };
