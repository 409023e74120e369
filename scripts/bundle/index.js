'use strict';
// Bundles the sidecar, and the commands, with the packages that every run needs, so that a start
// reads one file instead of 1,260. Rarely used packages stay in node_modules and are loaded on demand. It uses
// esbuild: fast, MIT licence, and the basis of other bundlers.

const path = require('node:path');
const esbuild = require('esbuild');

const { leftOut } = require('./left-out');
const { lightProto } = require('./light-proto');
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

/** The bundles that the launcher runs, by name: the sidecar, and the commands. */
const BUNDLES = {
  holdfast: {
    entryPoints: [path.join(root, 'src/main.ts')],
    plugins: [protoFiles, redisClient, leftOut],
  },
  commands: {
    entryPoints: [path.join(root, 'src/commands/main.ts')],
    plugins: [lightProto, redisClient],
  },
};

/**
 * The text of a bundle: a function with the five parameters of a module, in ASCII, so that the
 * launcher can pass it to V8 without a copy. Names are kept for the stack traces in the log.
 */
async function bundle(name) {
  const text = await build({ ...BUNDLES[name], external: ON_DEMAND });
  const body = text.replace(/^#!.*\n/, '').replace(/[^\0-\x7f]/g, toEscape);
  return `(function (exports, require, module, __filename, __dirname) {${body}\n})`;
}

/**
 * The text of the client's bundle: a CommonJS module, which loads the packages of gRPC as any
 * program does.
 */
function bundleClient() {
  return build({
    entryPoints: [path.join(root, 'src/client/client.ts')],
    external: ['@grpc/grpc-js', 'protobufjs'],
    plugins: [lightProto],
  });
}

async function build(options) {
  const { outputFiles } = await esbuild.build({
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    // An import() would need a host callback, which cached code does not have.
    supported: { 'dynamic-import': false },
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'warning',
    write: false,
    ...options,
  });
  const [{ text }] = outputFiles;
  return text;
}

/** esbuild leaves non-ASCII characters only in regular expressions. */
function toEscape(character) {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

module.exports = { BUNDLES, bundle, bundleClient };
