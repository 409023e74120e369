'use strict';
// A replacement for proto-loader in the bundles of clients, which call the native API only. proto-loader
// also encodes a descriptor of the file, for reflection; that takes longer than all else that a
// command does before its first call.

const path = require('node:path');
const protobuf = require('protobufjs');

const FILE = 'holdfast/v1/locks.proto';
const SERVICE = 'holdfast.v1.Locks';

/** The codecs are created at their first use, and are those of proto-loader. */
function source() {
  const file = path.join(__dirname, '..', '..', 'proto', FILE);
  const json = JSON.stringify(new protobuf.Root().loadSync(file).toJSON());
  return `
    const { Root } = require('protobufjs/light');
    exports.loadSync = (_file, options) => {
      const service = Root.fromJSON(${json}).resolveAll().lookupService('${SERVICE}');
      const toMethod = ({ name, resolvedRequestType: request, resolvedResponseType: response }) => ({
        path: '/${SERVICE}/' + name,
        requestSerialize: (value) => Buffer.from(request.encode(request.fromObject(value)).finish()),
        responseDeserialize: (bytes) => response.toObject(response.decode(bytes), options),
      });
      const methods = service.methodsArray.map((method) => [method.name, toMethod(method)]);
      return { '${SERVICE}': Object.fromEntries(methods) };
    };`;
}

/** The esbuild plugin that replaces it. */
const lightProto = {
  name: 'light-proto',
  setup(build) {
    build.onResolve({ filter: /^@grpc\/proto-loader$/ }, () => ({
      path: 'proto-loader',
      namespace: 'light-proto',
    }));
    build.onLoad({ filter: /.*/, namespace: 'light-proto' }, () => ({
      contents: source(),
      resolveDir: __dirname,
    }));
  },
};

module.exports = { lightProto };
