'use strict';
// The sidecar as one file, with all the packages that every run needs: a start reads one file instead
// of 1,260, and finds its proto files parsed. What few runs need stays in node_modules and is loaded
// on demand. esbuild makes it: fast, MIT, and the bundler that others are built on.

const path = require('node:path');
const esbuild = require('esbuild');
const protobuf = require('protobufjs');

const root = path.join(__dirname, '..');

/** Tracing, and the expressions of circuit breakers. */
const ON_DEMAND = [
  '@bufbuild/cel',
  '@opentelemetry/core',
  '@opentelemetry/exporter-*',
  '@opentelemetry/resources',
  '@opentelemetry/sdk-trace-base',
];

/** Every proto file that is loaded at run time: the end of its path, and the folder it is found in. */
const PROTO_FILES = [
  ['dapr/proto/runtime/v1/dapr.proto', 'proto'],
  ['google/rpc/status.proto', 'proto'],
  ['health/v1/health.proto', 'node_modules/grpc-health-check/proto'],
  ['grpc/reflection/v1/reflection.proto', 'node_modules/@grpc/reflection/build/proto'],
  ['grpc/reflection/v1alpha/reflection.proto', 'node_modules/@grpc/reflection/build/proto'],
];

/** A proto file and what it imports, in protobufjs's JSON form. */
function parseProto(file, folder, keepCase) {
  const parsed = new protobuf.Root();
  const resolve = parsed.resolvePath.bind(parsed);
  // protobufjs brings Google's common files itself.
  parsed.resolvePath = (origin, target) =>
    target.startsWith('google/protobuf/')
      ? resolve(origin, target)
      : path.join(root, folder, target);
  return parsed.loadSync(file, { keepCase }).toJSON();
}

/** proto-loader whose loadSync knows these files already, whoever calls it. */
function protoLoaderSource() {
  const entries = PROTO_FILES.flatMap(([file, folder]) =>
    [true, false].map((keepCase) => ({ file, keepCase, json: parseProto(file, folder, keepCase) })),
  );
  return `
    const loader = require('@grpc/proto-loader');
    const parsed = JSON.parse(${JSON.stringify(JSON.stringify(entries))});
    exports.loadSync = (file, options) => {
      const keepCase = options?.keepCase === true;
      const known = parsed.find((entry) => file.endsWith(entry.file) && entry.keepCase === keepCase);
      if (known === undefined) throw new Error(file + ' is not among the files of scripts/bundle.js');
      return loader.fromJSON(known.json, options);
    };`;
}

/** Sends everybody's import of proto-loader to the one that knows the files. */
const parsedProtos = {
  name: 'parsed-protos',
  setup(build) {
    build.onResolve({ filter: /^@grpc\/proto-loader$/ }, ({ namespace }) =>
      namespace === 'parsed-protos'
        ? undefined
        : { path: 'proto-loader', namespace: 'parsed-protos' },
    );
    build.onLoad({ filter: /.*/, namespace: 'parsed-protos' }, () => ({
      contents: protoLoaderSource(),
      resolveDir: root,
    }));
  },
};

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
    plugins: [parsedProtos],
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
