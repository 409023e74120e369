'use strict';
// Bundles the sidecar, the commands and the client, each with all packages that it needs, so that a start
// reads one file instead of 1,260, and dist needs no node_modules. It uses esbuild: fast, MIT licence, and
// the basis of other bundlers.

const { createHash } = require('node:crypto');
const path = require('node:path');
const esbuild = require('esbuild');

const { leftOut, noHttp2InFastify } = require('./left-out');
const { lightProto } = require('./light-proto');
const { ON_DEMAND, onDemand } = require('./on-demand');
const { protoFiles } = require('./proto-files');
const { redisClient } = require('./redis-client');
const { sharedGrpc } = require('./shared-grpc');

const root = path.join(__dirname, '..', '..');

/** The bundles that the launcher runs, by name: the sidecar, and the commands. */
const BUNDLES = {
  holdfast: {
    entryPoints: [path.join(root, 'src/main.ts')],
    plugins: [protoFiles, sharedGrpc, redisClient, leftOut, noHttp2InFastify, onDemand],
  },
  commands: {
    entryPoints: [path.join(root, 'src/commands/main.ts')],
    plugins: [lightProto, redisClient, onDemand],
  },
};

/** How many characters of its own hash a bundle ends with. */
const HASH_LENGTH = 16;

/**
 * A bundle that the launcher runs: its text, and the files that it consists of. The text is a function with
 * the five parameters of a module, in ASCII, so that the launcher can pass it to V8 without a copy. Names are
 * kept for the stack traces in the log. The last line is the hash of the rest, which names the compiled code.
 */
async function bundle(name) {
  const { text, inputs } = await build(BUNDLES[name]);
  const body = text.replace(/^#!.*\n/, '').replace(/[^\0-\x7f]/g, toEscape);
  const whole = `(function (exports, require, module, __filename, __dirname) {${body}\n})`;
  const hash = createHash('sha256').update(whole).digest('hex').slice(0, HASH_LENGTH);
  return { text: `${whole}\n//${hash}`, inputs };
}

/** A part that is loaded on demand: a CommonJS module. It is nearly all code of libraries, so its names are short. */
function bundleOnDemand(name) {
  const { entry, source, options } = ON_DEMAND[name];
  const from =
    source === undefined
      ? { entryPoints: [entry] }
      : { stdin: { contents: source, resolveDir: root } };
  return build({ ...from, ...options, minifyIdentifiers: true, keepNames: true });
}

/** The client: a CommonJS module. */
function bundleClient() {
  return build({
    entryPoints: [path.join(root, 'src/client/client.ts')],
    plugins: [lightProto],
  });
}

async function build(options) {
  const { outputFiles, metafile } = await esbuild.build({
    absWorkingDir: root,
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
    metafile: true,
    write: false,
    ...options,
  });
  const [{ text }] = outputFiles;
  return { text, inputs: Object.keys(metafile.inputs) };
}

/** esbuild leaves non-ASCII characters only in regular expressions. */
function toEscape(character) {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

module.exports = { BUNDLES, bundle, bundleClient, bundleOnDemand };
