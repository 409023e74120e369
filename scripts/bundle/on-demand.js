'use strict';
// What few processes use is not in the bundles that every start reads. Each part is a file of its own in
// dist, with all packages that it needs, and is loaded when it is first used.

const path = require('node:path');

const root = path.join(__dirname, '..', '..');

/** The parts: the name of the file in dist, the module that it consists of, and how this is imported. */
const ON_DEMAND = {
  tracing: {
    entry: path.join(root, 'src/observability/otel-tracer.ts'),
    imported: /\/otel-tracer\.js$/,
  },
  cel: { entry: '@bufbuild/cel', imported: /^@bufbuild\/cel$/ },
};

/** The esbuild plugin that leaves them out. */
const onDemand = {
  name: 'on-demand',
  setup(build) {
    for (const [name, { imported }] of Object.entries(ON_DEMAND)) {
      build.onResolve({ filter: imported }, ({ kind }) =>
        kind === 'entry-point' ? undefined : { path: `./${name}.js`, external: true },
      );
    }
  },
};

module.exports = { ON_DEMAND, onDemand };
