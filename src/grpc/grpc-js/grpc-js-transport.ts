import { isIPv4, isIPv6 } from 'node:net';

import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  logVerbosity,
  Server,
  ServerCredentials,
  setLogger,
  setLogVerbosity,
} from '@grpc/grpc-js';

import type { Logger } from '../../base/logger';
import type { Handshakes } from '../../servers/handshakes';
import type { ListenAddress, ServerTls } from '../../servers/listen-address';
import { Connections } from './connections';
import { http2ServersOf, renewCertificate } from './grpc-js-internals';
import { GrpcJsStreamCall, GrpcJsUnaryCall } from './grpc-js-server-call';
import type { GrpcMethod } from '../grpc-method';
import type { Registry } from '../late-services';
import type { StreamServerCall, UnaryServerCall } from '../server-call';
import type { ServerParts } from '../server-parts';
import { type StreamHandlerOptions, toStreamHandler } from '../stream-handler';
import type { Transport } from '../transport';
import { toUnaryHandler } from '../unary-handler';

/**
 * daprd's keepalive (dapr/dapr pkg/api/grpc/server.go): a dead connection is detected after 15 s.
 * Clients may send pings as often as they like: Node answers them, and grpc-js never sends
 * ENHANCE_YOUR_CALM.
 */
const KEEPALIVE = { 'grpc.keepalive_time_ms': 10_000, 'grpc.keepalive_timeout_ms': 5000 };

/** Interval at which sockets of destroyed sessions are looked for, in milliseconds. */
const DESTROYED_END_MS = 2500;

/** The gRPC transport on grpc-js. */
export class GrpcJsTransport implements Transport {
  readonly #server: Server;
  readonly #connections: Connections;
  readonly #handshakes: Handshakes;
  readonly #tls: ServerTls | undefined;
  readonly #destroyedEnd = setInterval(() => {
    this.#connections.endDestroyed();
  }, DESTROYED_END_MS).unref();

  constructor(parts: ServerParts, tls: ServerTls | undefined) {
    const { handlers, methods } = parts;
    routeLibraryLog(handlers.logger);
    this.#tls = tls;
    this.#handshakes = parts.handshakes;
    this.#connections = new Connections(parts);
    this.#server = createServer(parts, this.#connections);
    const register = createRegister(this.#server, handlers, this.#connections);
    for (const method of methods) register(method);
  }

  get registry(): Registry {
    return this.#server;
  }

  async listen(address: ListenAddress): Promise<{ port: number }> {
    const bound = await bind(this.#server, toTarget(address), toCredentials(this.#tls));
    this.#connections.watch(this.#server);
    for (const http2Server of http2ServersOf(this.#server)) this.#handshakes.watch(http2Server);
    return { port: bound };
  }

  renewTls(tls: ServerTls): void {
    renewCertificate(this.#server, tls);
  }

  endIdle(options: { readonly mayLose: boolean }): void {
    this.#connections.endIdle(options);
  }

  close(): Promise<void> {
    return shutDown(this.#server).finally(() => {
      clearInterval(this.#destroyedEnd);
    });
  }
}

function createServer({ maxMessageBytes, shares }: ServerParts, connections: Connections): Server {
  const maxStreams = shares?.total;
  return new Server({
    ...KEEPALIVE,
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_send_message_length': maxMessageBytes,
    'grpc.enable_channelz': 0,
    ...(maxStreams === undefined ? {} : { 'grpc.max_concurrent_streams': maxStreams }),
    interceptors: [connections.interceptor],
  });
}

/** Registers methods whose requests and answers are bytes. */
function createRegister(
  server: Server,
  options: StreamHandlerOptions,
  connections: Connections,
): (method: GrpcMethod) => void {
  const keepBytes = (bytes: Buffer) => bytes;
  return (method) => {
    const { grpcPath } = method.row;
    const [handle, kind] =
      method.kind === 'unary'
        ? [toUnaryListener(toUnaryHandler(method, options), connections), 'unary']
        : [toStreamListener(toStreamHandler(method, options), connections), 'serverStream'];
    const isNew = server.register(grpcPath, handle, keepBytes, keepBytes, kind);
    if (!isNew) throw new Error(`two methods have the path ${grpcPath}`);
  };
}

function toUnaryListener(
  handle: (call: UnaryServerCall) => void,
  connections: Connections,
): handleUnaryCall<Buffer, Buffer> {
  return (call, callback) => {
    handle(new GrpcJsUnaryCall(call, callback, connections));
  };
}

function toStreamListener(
  handle: (call: StreamServerCall) => void,
  connections: Connections,
): handleServerStreamingCall<Buffer, Buffer> {
  return (call) => {
    handle(new GrpcJsStreamCall(call, connections));
  };
}

function toTarget(address: ListenAddress): string {
  if ('path' in address) return `unix:${address.path}`;
  const { host, port } = address;
  // With an explicit scheme, grpc-js does not start a resolver to look the address up.
  if (isIPv6(host)) return `ipv6:[${host}]:${port}`;
  return isIPv4(host) ? `ipv4:${host}:${port}` : `${host}:${port}`;
}

function toCredentials(tls: ServerTls | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const { cert, key, ca } = tls;
  const pair = { cert_chain: Buffer.from(cert), private_key: Buffer.from(key) };
  const authorities = ca === undefined ? null : Buffer.from(ca);
  return ServerCredentials.createSsl(authorities, [pair], authorities !== null);
}

function bind(server: Server, address: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => {
      if (error === null) resolve(port);
      else reject(error);
    });
  });
}

/**
 * Accepts no new connections and resolves when the last one has ended. grpc-js (1.14) does not say so
 * if a session is destroyed, but not yet closed, when it begins to stop: node:http2 then ignores the
 * `close` whose end grpc-js waits for. node:http2's own servers always say it.
 */
function shutDown(server: Server): Promise<void> {
  const ends = Array.from(
    http2ServersOf(server),
    (http2Server) => new Promise<void>((resolve) => http2Server.once('close', resolve)),
  );
  return new Promise((resolve, reject) => {
    void Promise.all(ends).then(() => {
      resolve();
    });
    server.tryShutdown((error) => {
      if (error === undefined) resolve();
      else reject(error);
    });
  });
}

/** grpc-js writes to the console by default. Important failures reach us as errors anyway. */
function routeLibraryLog(logger: Logger): void {
  const write = (...parts: unknown[]) => {
    logger.debug(parts.map(String).join(' '));
  };
  setLogger({ error: write, info: write, debug: write });
  setLogVerbosity(logVerbosity.ERROR);
}
