import { isIPv4, isIPv6 } from 'node:net';

import { logVerbosity, Server, ServerCredentials, setLogger, setLogVerbosity } from '@grpc/grpc-js';

import type { EventStreams } from '../api/event-streams';
import type { Sidecar } from '../api/sidecar';
import type { Logger } from '../base/logger';
import { Handshakes } from '../servers/handshakes';
import type { ListenAddress, ServerTls } from '../servers/listen-address';
import { ApiRefusals } from './api-refusals';
import { CallGate } from './call-gate';
import { Connections } from './connections';
import { answerUnknownMethods, http2ServersOf, renewCertificate } from './grpc-js-internals';
import type { GrpcMethod } from './grpc-method';
import { LateServices } from './late-services';
import { OpenStreams } from './open-streams';
import { type StreamHandlerOptions, toStreamHandler } from './stream-handler';
import { StreamShares } from './stream-shares';
import { toUnaryHandler } from './unary-handler';

/** What the gRPC transport stands on. */
export interface GrpcServerOptions {
  /** What is served, beside health checks and reflection. */
  readonly methods: readonly GrpcMethod[];
  readonly sidecar: Sidecar;
  readonly logger: Logger;
  /** The streams of events that are open, those of the other transport too. */
  readonly eventStreams: EventStreams;
  /** Longest message taken or sent, in bytes (--max-body-size); -1 for no limit. */
  readonly maxMessageBytes: number;
  /** The most lock calls under way at a time; undefined for no bound. */
  readonly maxConcurrentCalls?: number | undefined;
  /** Undefined for a plain connection. */
  readonly tls: ServerTls | undefined;
}

/** The gRPC transport of the sidecar. */
export interface GrpcServer {
  /** Binds one more address; rejects with the system's reason. Port 0 takes a free one. */
  listen(address: ListenAddress): Promise<{ port: number }>;
  /** Shows a renewed certificate to connections from now on. */
  renewTls(tls: ServerTls): void;
  /** Takes no new connections, lets calls in flight finish, and resolves when they have. */
  close(): Promise<void>;
}

/**
 * daprd's keepalive (dapr/dapr pkg/api/grpc/server.go): a connection whose other end has vanished
 * is noticed after 15 s. Pings of clients are answered however often they come: Node does that,
 * and grpc-js never sends ENHANCE_YOUR_CALM.
 */
const KEEPALIVE = { 'grpc.keepalive_time_ms': 10_000, 'grpc.keepalive_timeout_ms': 5000 };

/** How long connections without a call may take to close by themselves, in milliseconds. */
const IDLE_END_MS = 250;

/** How long one of them may take that has not read its last answer, in milliseconds. */
const UNREAD_END_MS = 1000;

/**
 * Open streams for each lock call that may be under way: enough that those beyond the bound are
 * refused with a hint, few enough that refusing all of them takes a fraction of a second.
 */
const STREAMS_PER_CALL = 2;

/** Makes the gRPC transport; nothing listens before `listen`. */
export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  routeLibraryLog(options.logger);
  const { maxConcurrentCalls } = options;
  const shares =
    maxConcurrentCalls === undefined
      ? undefined
      : new StreamShares(maxConcurrentCalls * STREAMS_PER_CALL);
  const { maxMessageBytes } = options;
  const gate = new CallGate({ refusals: createRefusals(options), maxMessageBytes });
  const connections = new Connections({ gate, shares });
  const server = createServer(options, connections, shares?.total);
  const streams = new OpenStreams();
  const handshakes = new Handshakes();
  const lateServices = new LateServices(server, streams);
  const { logger, sidecar, eventStreams } = options;
  const handlers = { logger, observer: sidecar.observer, streams: eventStreams, connections };
  for (const method of options.methods) register(server, method, handlers);
  answerUnknownMethods(server);

  return {
    async listen(address) {
      const bound = await bind(server, toTarget(address), toCredentials(options.tls));
      connections.watch(server);
      for (const http2Server of http2ServersOf(server)) handshakes.watch(http2Server);
      lateServices.setServing(true);
      return { port: bound };
    },
    renewTls(tls) {
      renewCertificate(server, tls);
    },
    close() {
      lateServices.setServing(false);
      streams.end();
      eventStreams.stop();
      const closedAtMs = performance.now();
      const idleEnd = setInterval(() => {
        connections.endIdle({ mayLose: performance.now() - closedAtMs >= UNREAD_END_MS });
        handshakes.end();
      }, IDLE_END_MS);
      return shutDown(server).finally(() => {
        clearInterval(idleEnd);
      });
    },
  };
}

function createRefusals({ methods, sidecar }: GrpcServerOptions): ApiRefusals {
  const { isAllowed, checkToken } = sidecar;
  return new ApiRefusals({ methods: methods.map(({ row }) => row), isAllowed, checkToken });
}

function createServer(
  { maxMessageBytes }: GrpcServerOptions,
  connections: Connections,
  maxStreams: number | undefined,
): Server {
  return new Server({
    ...KEEPALIVE,
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_send_message_length': maxMessageBytes,
    'grpc.enable_channelz': 0,
    ...(maxStreams === undefined ? {} : { 'grpc.max_concurrent_streams': maxStreams }),
    interceptors: [connections.interceptor],
  });
}

function register(server: Server, method: GrpcMethod, options: StreamHandlerOptions): void {
  const keepBytes = (bytes: Buffer) => bytes;
  const { grpcPath } = method.row;
  const isNew =
    method.kind === 'unary'
      ? server.register(grpcPath, toUnaryHandler(method, options), keepBytes, keepBytes, 'unary')
      : server.register(
          grpcPath,
          toStreamHandler(method, options),
          keepBytes,
          keepBytes,
          'serverStream',
        );
  if (!isNew) throw new Error(`two methods have the path ${grpcPath}`);
}

function toTarget(address: ListenAddress): string {
  if ('path' in address) return `unix:${address.path}`;
  const { host, port } = address;
  // By a scheme of its own an address is not looked up, for which grpc-js would start a resolver.
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

function shutDown(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.tryShutdown((error) => {
      if (error === undefined) resolve();
      else reject(error);
    });
  });
}

/** grpc-js writes to the console by itself; what matters of it reaches us as errors anyway. */
function routeLibraryLog(logger: Logger): void {
  const write = (...parts: unknown[]) => {
    logger.debug(parts.map(String).join(' '));
  };
  setLogger({ error: write, info: write, debug: write });
  setLogVerbosity(logVerbosity.ERROR);
}
