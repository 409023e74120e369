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

import type { EventStreams } from '../api/event-streams';
import type { Sidecar } from '../api/sidecar';
import type { Logger } from '../base/logger';
import { Handshakes } from '../servers/handshakes';
import type { ListenAddress, ServerTls } from '../servers/listen-address';
import type { Upstream } from '../upstream/upstream';
import { ApiRefusals } from './api-refusals';
import { CallGate } from './call-gate';
import { Connections } from './connections';
import { http2ServersOf, renewCertificate } from './grpc-js-internals';
import { GrpcJsStreamCall, GrpcJsUnaryCall } from './grpc-js-server-call';
import type { GrpcMethod } from './grpc-method';
import { LateServices } from './late-services';
import { OpenStreams } from './open-streams';
import { createMetadataJoint } from './metadata-joint';
import { Passing } from './passing';
import type { StreamServerCall, UnaryServerCall } from './server-call';
import { type StreamHandlerOptions, toStreamHandler } from './stream-handler';
import { StreamShares } from './stream-shares';
import { toUnaryHandler } from './unary-handler';
import { UncountedCalls } from './uncounted-calls';

/** The parts and limits of the gRPC transport. */
export interface GrpcServerOptions {
  /** The methods to serve. Health checks and reflection are always served in addition. */
  readonly methods: readonly GrpcMethod[];
  readonly sidecar: Sidecar;
  readonly logger: Logger;
  /** The open event streams of both transports. */
  readonly eventStreams: EventStreams;
  /** Maximum size of a message, sent or received, in bytes (--max-body-size). -1 means no limit. */
  readonly maxMessageBytes: number;
  /** Maximum number of concurrent lock calls. Undefined means no limit. */
  readonly maxConcurrentCalls?: number | undefined;
  /** Undefined for connections without TLS. */
  readonly tls: ServerTls | undefined;
  /** Answers all calls that are not served here. Undefined if there is none. */
  readonly upstream?: Upstream | undefined;
}

/** The gRPC transport of the sidecar. */
export interface GrpcServer {
  /** Binds one more address. Port 0 picks a free port. Rejects with the system's error. */
  listen(address: ListenAddress): Promise<{ port: number }>;
  /** Uses a renewed certificate for all new connections. */
  renewTls(tls: ServerTls): void;
  /** Accepts no new connections and resolves when the calls in flight have finished. */
  close(): Promise<void>;
}

/**
 * daprd's keepalive (dapr/dapr pkg/api/grpc/server.go): a dead connection is detected after 15 s.
 * Clients may send pings as often as they like: Node answers them, and grpc-js never sends
 * ENHANCE_YOUR_CALM.
 */
const KEEPALIVE = { 'grpc.keepalive_time_ms': 10_000, 'grpc.keepalive_timeout_ms': 5000 };

/** Interval at which sockets of destroyed sessions are looked for, in milliseconds. */
const DESTROYED_END_MS = 2500;

/**
 * Interval at which a closing server ends connections without a call, in milliseconds. Until the
 * first time they may close by themselves.
 */
const IDLE_END_MS = 250;

/**
 * After this time, a closing server also ends connections that have not read their last answer, in
 * milliseconds.
 */
const UNREAD_END_MS = 1000;

/**
 * Open streams per allowed lock call. High enough that calls beyond the limit are refused with a
 * retry hint, low enough that refusing all of them takes a fraction of a second.
 */
const STREAMS_PER_CALL = 2;

/** Creates the gRPC transport. It listens on nothing until `listen` is called. */
export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  routeLibraryLog(options.logger);
  const { maxConcurrentCalls } = options;
  const shares =
    maxConcurrentCalls === undefined
      ? undefined
      : new StreamShares(maxConcurrentCalls * STREAMS_PER_CALL);
  const { maxMessageBytes } = options;
  const gate = new CallGate({ refusals: createRefusals(options), maxMessageBytes });
  const passing = createPassing(options);
  const eventStreamPaths = new Set(
    options.methods.flatMap(({ kind, row }) => (kind === 'unary' ? [] : [row.grpcPath])),
  );
  const connections = new Connections({ gate, shares, passing, eventStreamPaths });
  const server = createServer(options, connections, shares?.total);
  const destroyedEnd = setInterval(() => {
    connections.endDestroyed();
  }, DESTROYED_END_MS).unref();
  const streams = new OpenStreams();
  const handshakes = new Handshakes();
  const lateServices = new LateServices(server, streams, options.upstream?.sessions);
  const { logger, sidecar, eventStreams, upstream } = options;
  const uncounted = new UncountedCalls(shares);
  const handlers = { logger, observer: sidecar.observer, streams: eventStreams, uncounted };
  const register = createRegister(server, handlers, connections);
  for (const method of options.methods) register(method);
  let isClosing = false;
  const setServing = (isServing: boolean): void => {
    lateServices.setServing(isServing && !isClosing);
  };

  return {
    async listen(address) {
      const bound = await bind(server, toTarget(address), toCredentials(options.tls));
      connections.watch(server);
      for (const http2Server of http2ServersOf(server)) handshakes.watch(http2Server);
      if (upstream === undefined) lateServices.setServing(true);
      else upstream.health.onChange(setServing);
      return { port: bound };
    },
    renewTls(tls) {
      renewCertificate(server, tls);
    },
    close() {
      isClosing = true;
      setServing(false);
      streams.end();
      eventStreams.stop();
      passing?.close();
      const closedAtMs = performance.now();
      const idleEnd = setInterval(() => {
        connections.endIdle({ mayLose: performance.now() - closedAtMs >= UNREAD_END_MS });
        handshakes.end();
      }, IDLE_END_MS);
      return shutDown(server).finally(() => {
        clearInterval(idleEnd);
        clearInterval(destroyedEnd);
        passing?.closed();
      });
    },
  };
}

function createRefusals({ methods, sidecar, upstream }: GrpcServerOptions): ApiRefusals {
  const { isAllowed, checkToken } = sidecar;
  const hasUpstream = upstream?.sessions !== undefined;
  const rows = methods.map(({ row }) => row);
  return new ApiRefusals({ methods: rows, isAllowed, checkToken, hasUpstream });
}

function createPassing({ methods, sidecar, upstream }: GrpcServerOptions): Passing | undefined {
  if (upstream?.sessions === undefined) return undefined;
  const { sessions: pool, calls: limit } = upstream;
  const joint = createMetadataJoint(() => sidecar.metadata.view().components);
  const joined = methods.filter(({ row }) => row.behind === 'joined');
  const joints = new Map(joined.map(({ row }) => [row.grpcPath, joint]));
  return new Passing({ pool, limit, observer: sidecar.observer, joints });
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

function shutDown(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
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
