'use strict';
// Runs a TypeScript program of test/ or bench/ without a build:
// node scripts/run-typescript.js FILE [ARGS...]
// Types are removed but not checked; `npm run typecheck` checks them. esbuild, which bundles the sidecar, does it
// several times as fast as the compiler.

const { readFileSync } = require('node:fs');
const path = require('node:path');
const { transformSync } = require('esbuild');

require.extensions['.ts'] = (module, filename) => {
  const { code } = transformSync(readFileSync(filename, 'utf8'), {
    loader: 'ts',
    format: 'cjs',
    target: 'node20',
    // A dynamic import() would look for JavaScript.
    supported: { 'dynamic-import': false },
    sourcemap: 'inline',
    sourcefile: filename,
  });
  module._compile(code, filename);
};

const [file, ...args] = process.argv.slice(2);
const program = path.resolve(file);
process.argv = [process.argv[0], program, ...args];
process.setSourceMapsEnabled(true);
require(program);
