const path = require('node:path');
const { credentials, loadPackageDefinition } = require('@grpc/grpc-js');
const { loadSync } = require('@grpc/proto-loader');

/** A client of the native API. Fields are in lowerCamelCase, and numbers are numbers: all are below 2^53. */
function createLocks(address = `127.0.0.1:${process.env.DAPR_GRPC_PORT ?? 50001}`) {
  const includeDirs = [path.join(__dirname, 'proto')];
  const options = { includeDirs, longs: Number, enums: String, defaults: true, oneofs: true };
  const { holdfast } = loadPackageDefinition(loadSync('holdfast/v1/locks.proto', options));
  return new holdfast.v1.Locks(address, credentials.createInsecure());
}

module.exports = { createLocks };
