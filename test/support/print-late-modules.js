'use strict';
// Loaded into a sidecar by NODE_OPTIONS: as it ends, it tells which of Node's modules and which parts of dist it has loaded.

process.once('exit', () => {
  const own = process.moduleLoadList.map((name) => name.replace('NativeModule ', 'node:'));
  process.stderr.write(`loaded: ${[...own, ...Object.keys(require.cache)].join(' ')}\n`);
});
