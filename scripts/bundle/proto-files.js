'use strict';
// proto-loader for the bundle: it knows every proto file that is loaded at run time, as it was when
// the bundle was built. A start needs the names of services and methods and what their messages are
// made of; codecs and file descriptors, which take protobufjs 20 ms, are made when one is first used.

const path = require('node:path');
const loader = require('@grpc/proto-loader');
const protobuf = require('protobufjs');

const { LATE_FUNCTION, LATE_VALUE } = require('./late-definitions');

const root = path.join(__dirname, '..', '..');

/** Every file: the end of its path, and the folder it is found in. */
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

/** What is known of a package at once: its services whole, but for what is made late. */
function toOutline(definitions) {
  const isService = (definition) => !('format' in definition);
  return Object.fromEntries(
    Object.entries(definitions).map(([name, definition]) => [
      name,
      isService(definition) ? outlineOf(definition) : LATE_VALUE,
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

function toEntry([file, folder], keepCase) {
  const json = parseProto(file, folder, keepCase);
  const outline = toOutline(loader.fromJSON(json, { keepCase }));
  // As texts: of ten entries a start reads one, and its outline only.
  return { file, keepCase, outline: JSON.stringify(outline), json: JSON.stringify(json) };
}

function source() {
  const entries = PROTO_FILES.flatMap((file) => [toEntry(file, true), toEntry(file, false)]);
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

/** Sends everybody's import of proto-loader to the one that knows the files. */
const protoFiles = {
  name: 'proto-files',
  setup(build) {
    build.onResolve({ filter: /^@grpc\/proto-loader$/ }, ({ namespace }) =>
      namespace === 'proto-files' ? undefined : { path: 'proto-loader', namespace: 'proto-files' },
    );
    build.onLoad({ filter: /.*/, namespace: 'proto-files' }, () => ({
      contents: source(),
      resolveDir: __dirname,
    }));
  },
};

module.exports = { protoFiles, toOutline };
