'use strict';
// A replacement for proto-loader in the bundle. It contains every proto file that is loaded at run
// time, in its state at build time. A start needs only the names of services and methods, and the
// fields of their messages. Codecs and file descriptors take protobufjs 20 ms, so they are created
// at their first use.

const path = require('node:path');
const loader = require('@grpc/proto-loader');
const protobuf = require('protobufjs');

const { LATE_FUNCTION, LATE_VALUE } = require('./late-definitions');

const root = path.join(__dirname, '..', '..');

/**
 * All proto files: the end of the path, the folder that contains it, and whether the fields of all its messages are
 * available at once. The encoder of the native API reads them.
 */
const PROTO_FILES = [
  ['dapr/proto/runtime/v1/dapr.proto', 'proto'],
  ['holdfast/v1/locks.proto', 'proto', true],
  ['google/rpc/status.proto', 'proto'],
  ['reflected.proto', 'proto'],
  ['health/v1/health.proto', 'node_modules/grpc-health-check/proto'],
  ['grpc/reflection/v1/reflection.proto', 'node_modules/@grpc/reflection/build/proto'],
  ['grpc/reflection/v1alpha/reflection.proto', 'node_modules/@grpc/reflection/build/proto'],
];

/** A proto file and its imports in protobufjs's JSON form. */
function parseProto(file, folder, keepCase) {
  const parsed = new protobuf.Root();
  const resolve = parsed.resolvePath.bind(parsed);
  // protobufjs contains Google's common files itself.
  parsed.resolvePath = (origin, target) =>
    target.startsWith('google/protobuf/')
      ? resolve(origin, target)
      : path.join(root, folder, target);
  return parsed.loadSync(file, { keepCase }).toJSON();
}

/**
 * The part of a package that is available at once: complete services, except for the late parts.
 *
 * @param hasMessages true for the messages as well, in the same way
 */
function toOutline(definitions, hasMessages = false) {
  const isService = (definition) => !('format' in definition);
  return Object.fromEntries(
    Object.entries(definitions).map(([name, definition]) => [
      name,
      isService(definition) || hasMessages ? outlineOf(definition) : LATE_VALUE,
    ]),
  );
}

function outlineOf(value) {
  if (typeof value === 'function') return LATE_FUNCTION;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      key === 'fileDescriptorProtos' ? LATE_VALUE : outlineOf(member),
    ]),
  );
}

function toEntry([file, folder, hasMessages], keepCase) {
  const json = parseProto(file, folder, keepCase);
  const outline = toOutline(loader.fromJSON(json, { keepCase }), hasMessages && !keepCase);
  // Kept as texts, because a start reads one of ten entries, and only its outline.
  return { file, keepCase, outline: JSON.stringify(outline), json: JSON.stringify(json) };
}

function source(files) {
  const entries = files.flatMap((file) => [toEntry(file, true), toEntry(file, false)]);
  return `
    const { reviveLate } = require('./late-definitions');
    const entries = ${JSON.stringify(entries)};
    exports.loadSync = (file, options) => {
      const keepCase = options?.keepCase === true;
      const known = entries.find((entry) => file.endsWith(entry.file) && entry.keepCase === keepCase);
      if (known === undefined) throw new Error(file + ' is not among the files of scripts/bundle');
      let whole;
      const load = () =>
        (whole ??= require('@grpc/proto-loader').fromJSON(JSON.parse(known.json), options));
      return reviveLate(JSON.parse(known.outline), load);
    };`;
}

/** Creates the plugin that redirects all imports of proto-loader to this replacement. */
function protoFilesOf(files) {
  return {
    name: 'proto-files',
    setup(build) {
      build.onResolve({ filter: /^@grpc\/proto-loader$/ }, ({ namespace }) =>
        namespace === 'proto-files'
          ? undefined
          : { path: 'proto-loader', namespace: 'proto-files' },
      );
      build.onLoad({ filter: /.*/, namespace: 'proto-files' }, () => ({
        contents: source(files),
        resolveDir: __dirname,
      }));
    },
  };
}

/** The plugin for the sidecar. */
const protoFiles = protoFilesOf(PROTO_FILES);

module.exports = { protoFiles, protoFilesOf, toOutline };
