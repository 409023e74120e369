'use strict';
// Runs a TypeScript program of test/ or bench/ without a build:
// node scripts/run-typescript.js FILE [ARGS...]
// Types are removed but not checked; `npm run typecheck` checks them.

const { readFileSync } = require('node:fs');
const path = require('node:path');
const ts = require('typescript');

const compilerOptions = {
  module: ts.ModuleKind.CommonJS,
  target: ts.ScriptTarget.ES2023,
  esModuleInterop: true,
  inlineSourceMap: true,
};

require.extensions['.ts'] = (module, filename) => {
  const { outputText } = ts.transpileModule(readFileSync(filename, 'utf8'), {
    compilerOptions,
    fileName: filename,
  });
  module._compile(outputText, filename);
};

const [file, ...args] = process.argv.slice(2);
const program = path.resolve(file);
process.argv = [process.argv[0], program, ...args];
process.setSourceMapsEnabled(true);
require(program);
