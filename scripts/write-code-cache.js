'use strict';
// Writes V8's code caches, so that later starts compile almost nothing: that of dist/holdfast.js after a sidecar has
// started and served locks over HTTP and gRPC, and that of dist/grpc.js after a server of grpc-js has answered a call.
// Usage: node scripts/write-code-cache.js, with the version of Node that will use the caches. Listens on unix sockets in
// a temporary folder.

const { Buffer } = require('node:buffer');
const { once } = require('node:events');
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const http = require('node:http');
const http2 = require('node:http2');
const net = require('node:net');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { promisify } = require('node:util');

const { cacheFileOf, launch, partScripts, requirePart, saveCode } = require('../dist/main.js');

/** Time limit for the sidecar, in milliseconds. */
const WITHIN_MS = 20_000;

const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-build-'));
const socketPath = path.join(folder, 'dapr-build-http.socket');

const component = (name, type, more) => `apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: ${name}
spec:
  type: ${type}
  version: v1
${more}`;

// No server listens there. node-redis is loaded and fails to connect, and its code is compiled
// anyway.
const redis = `  ignoreErrors: true
  metadata:
  - {name: redisHost, value: '127.0.0.1:1'}
`;

function post(url, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ socketPath, path: url, method: 'POST' }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode));
    });
    request.once('error', reject);
    request.end(JSON.stringify(body));
  });
}

const DAPR = '/dapr.proto.runtime.v1.Dapr/';

/** The store, the resource and the owner as fields 1 to 3 of a protobuf message, and 1 s as field 4. */
const GRPC_LOCK = Buffer.concat([
  ...['lockstore', 'r', 'o'].map((text, index) =>
    Buffer.concat([Buffer.from([((index + 1) << 3) | 2, text.length]), Buffer.from(text)]),
  ),
  Buffer.from([4 << 3, 1]),
]);

function framed(message) {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** Calls the sidecar over gRPC. Without grpc-js, whose code the sidecar's own server does not share. */
async function lockOverGrpc() {
  const socket = () => net.connect(path.join(folder, 'dapr-build-grpc.socket'));
  const session = http2.connect('http://localhost', { createConnection: socket });
  for (const method of ['TryLockAlpha1', 'UnlockAlpha1']) {
    const headers = { ':method': 'POST', ':path': DAPR + method, te: 'trailers' };
    const stream = session.request({ ...headers, 'content-type': 'application/grpc' });
    stream.end(framed(GRPC_LOCK));
    const [trailers] = await Promise.all([
      once(stream, 'trailers'),
      once(stream.resume(), 'close'),
    ]);
    if (trailers[0]['grpc-status'] !== '0') throw new Error(`gRPC: ${trailers[0]['grpc-message']}`);
  }
  session.close();
}

/** A server of grpc-js answers a call, as in a sidecar with `--grpc-server grpc-js`. */
async function useGrpcJs() {
  const { Client, Metadata, Server, ServerCredentials, credentials } =
    requirePart('./grpc.js')['@grpc/grpc-js'];
  const address = `unix:${path.join(folder, 'grpc-js.socket')}`;
  const keep = (bytes) => bytes;
  const server = new Server({ 'grpc.enable_channelz': 0 });
  const echoPath = '/build.Build/Echo';
  server.register(
    echoPath,
    ({ request }, callback) => callback(null, request),
    keep,
    keep,
    'unary',
  );
  await promisify(server.bindAsync.bind(server))(address, ServerCredentials.createInsecure());
  const client = new Client(address, credentials.createInsecure());
  const call = client.makeUnaryRequest.bind(
    client,
    echoPath,
    keep,
    keep,
    GRPC_LOCK,
    new Metadata(),
  );
  await promisify(call)();
  client.close();
  server.forceShutdown();
}

async function untilServed() {
  const lock = { resourceId: 'r', lockOwner: 'o', expiryInSeconds: 1 };
  for (const endsAt = Date.now() + WITHIN_MS; Date.now() < endsAt;) {
    const status = await post('/v1.0-alpha1/lock/lockstore', lock).catch(() => undefined);
    if (status === 200) return post('/v1.0-alpha1/unlock/lockstore', lock);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('the sidecar did not serve in time');
}

process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
writeFileSync(path.join(folder, 'a.yaml'), component('lockstore', 'lock.in-memory', ''));
writeFileSync(path.join(folder, 'b.yaml'), component('other', 'lock.redis', redis));
const log = ['--log-level', 'fatal', '--log-file', path.join(folder, 'log')];
process.argv.push('--app-id', 'build', '--resources-path', folder, ...log);
process.argv.push(
  '--grpc-server',
  'lean',
  '--unix-domain-socket',
  folder,
  '--enable-metrics=false',
  '--log-as-json',
);

const { script } = launch('holdfast');
untilServed()
  .then(lockOverGrpc)
  .then(useGrpcJs)
  .then(
    () => {
      saveCode(script, cacheFileOf('holdfast'));
      for (const [name, part] of partScripts) saveCode(part, cacheFileOf(name));
      process.kill(process.pid, 'SIGTERM');
    },
    (error) => {
      console.error(error.message);
      process.exit(1);
    },
  );
