'use strict';

const path = require('node:path');

/**
 * An esbuild plugin that puts other sources in the place of files of node_modules. A file that no
 * import led to any more fails the build: an upgrade that moves it would bring back what was cut.
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
        if (missing.size > 0) throw new Error(`${name}: nobody imports ${[...missing].join(', ')}`);
      });
    },
  };
}

module.exports = { replaceModules };
