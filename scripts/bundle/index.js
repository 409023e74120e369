'use strict';
// The sidecar as one file, with all the packages that every run needs: a start reads one file instead
// of 1,260. What few runs need stays in node_modules and is loaded on demand. esbuild makes it: fast,
// MIT, and the bundler that others are built on.

const path = require('node:path');
const esbuild = require('esbuild');

const { leftOut } = require('./left-out');
const { protoFiles } = require('./proto-files');
const { redisClient } = require('./redis-client');

const root = path.join(__dirname, '..', '..');

/** Tracing, and the expressions of circuit breakers. */
const ON_DEMAND = [
  '@bufbuild/cel',
  '@opentelemetry/core',
  '@opentelemetry/exporter-*',
  '@opentelemetry/resources',
  '@opentelemetry/sdk-trace-base',
];

/**
 * The bundle's text: a function of a module's five names, in ASCII, so that the launcher can hand it to
 * V8 without a copy. Names are kept, for the stack traces of the log.
 */
async function bundle() {
  const { outputFiles } = await esbuild.build({
    entryPoints: [path.join(root, 'src/main.ts')],
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    external: ON_DEMAND,
    // An import() would ask the script's host, of which compiled code knows nothing.
    supported: { 'dynamic-import': false },
    plugins: [protoFiles, redisClient, leftOut],
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'warning',
    write: false,
  });
  const [{ text }] = outputFiles;
  const body = text.replace(/^#!.*\n/, '').replace(/[^\0-\x7f]/g, toEscape);
  return `(function (exports, require, module, __filename, __dirname) {${body}\n})`;
}

/** esbuild leaves them in regular expressions only. */
function toEscape(character) {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

module.exports = { bundle };
