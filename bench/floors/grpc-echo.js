'use strict';
// The floor under our gRPC: the least that a unary call costs on grpc-js. It answers the lock
// methods' own paths with the bytes it got, decoded by nobody. Plain JavaScript, so that neither a
// compiler nor its memory is in the process that is measured. Usage: node grpc-echo.js PORT

const { Server, ServerCredentials } = require('@grpc/grpc-js');

const asIs = (bytes) => bytes;
const echo = (call, callback) => callback(null, call.request);
const method = (name) => ({
  path: `/dapr.proto.runtime.v1.Dapr/${name}`,
  requestStream: false,
  responseStream: false,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
});

const server = new Server();
const service = { tryLock: method('TryLockAlpha1'), unlock: method('UnlockAlpha1') };
server.addService(service, { tryLock: echo, unlock: echo });
server.bindAsync(`127.0.0.1:${process.argv[2]}`, ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
});

// An end of its own: a signal's would leave no profile (`--profile`).
process.once('SIGTERM', () => process.exit());
