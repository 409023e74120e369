import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';

import { fastify, type FastifyInstance } from 'fastify';

import type { EventStreams } from '../api/event-streams';
import type { Sidecar } from '../api/sidecar';
import type { Logger } from '../base/logger';
import type { ByteBudget } from '../servers/byte-budget';
import type { ListenAddress, ServerTls } from '../servers/listen-address';
import { OneAtATime, type Shares } from '../servers/one-at-a-time';
import { PassedStreams } from '../upstream/passed-streams';
import type { Upstream } from '../upstream/upstream';
import { addAccessCheck } from './access';
import { takeAnyBody } from './any-body';
import { answerBadUrl, answerClientError, answerConnect, answerUnsupported } from './client-errors';
import { addCors } from './cors';
import { addErrorHandling } from './error-handling';
import { addForeignOriginCheck } from './foreign-origins';
import type { HttpMethod } from './http-method';
import { addObservation } from './observation';
import { addPassing, markPassed } from './passing';
import { OpenSockets } from './open-sockets';
import { createUrlRewriter } from './routable-url';
import { addTokenCheck } from './token-check';

/** The parts and limits of the HTTP transport. */
export interface HttpServerOptions {
  /** The methods to serve. On the public port, only the public ones. */
  readonly methods: readonly HttpMethod[];
  readonly sidecar: Sidecar;
  readonly logger: Logger;
  /** The open event streams of both transports. */
  readonly eventStreams: EventStreams;
  /** Maximum size of a request body in bytes (--max-body-size). Undefined means no limit. */
  readonly maxBodyBytes: number | undefined;
  /**
   * Maximum size of request headers in bytes (--read-buffer-size). {@link HEADER_SLOP_BYTES} is
   * added to it.
   */
  readonly readBufferBytes: number;
  /** The origins whose pages may call the API (--allowed-origins). Empty means none. */
  readonly allowedOrigins: readonly string[];
  /** Undefined for HTTP without TLS. */
  readonly tls: ServerTls | undefined;
  /** The resources that its connections share with those of other servers. */
  readonly shares: HttpShares;
  /** `public` serves health and metadata only, without a token (--dapr-public-port). */
  readonly surface: 'api' | 'public';
  /** Answers all requests that are not served here. Undefined if there is none. */
  readonly upstream?: Upstream | undefined;
}

/** The resources that the connections of all HTTP servers share. */
export interface HttpShares extends Shares {
  /** The budget for long bodies in memory. */
  readonly bodies: ByteBudget;
}

/** The HTTP transport of the sidecar: HTTP/1.1 only. */
export interface HttpServer {
  /** Binds one more address. Port 0 picks a free port. Rejects with the system's error. */
  listen(address: ListenAddress): Promise<{ port: number }>;
  /** Uses a renewed certificate for all new connections. */
  renewTls(tls: ServerTls): void;
  /** Accepts no new connections and resolves when the requests in flight have finished. */
  close(): Promise<void>;
}

/**
 * Go's server accepts this many bytes of headers beyond its limit, and so does daprd beyond
 * --read-buffer-size.
 */
const HEADER_SLOP_BYTES = 4096;

/** daprd's ReadHeaderTimeout, in milliseconds. Node checks it once a second. */
const HEADERS_TIMEOUT_MS = 10_000;
const CONNECTIONS_CHECK_MS = 1000;

/**
 * After this silence the kernel asks whether the client is still there, in milliseconds; as in Go's
 * net.ListenConfig, which daprd uses. Otherwise the hold of a machine that vanished would be renewed
 * until something is sent to it.
 */
const TCP_KEEPALIVE_MS = 15_000;

/** Creates the HTTP transport. It listens on nothing until `listen` is called. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  // One instance per address, because a Fastify instance listens on only one.
  const instances: { readonly instance: FastifyInstance; readonly sockets: OpenSockets }[] = [];
  const streams = new PassedStreams();
  return {
    async listen(address) {
      const oneAtATime = new OneAtATime(options.shares);
      const instance = createInstance(options, oneAtATime, streams);
      const sockets = new OpenSockets(instance.server, (socket) => oneAtATime.isIdle(socket));
      // From here on, Fastify answers with `Connection: close`.
      instance.addHook('preClose', () => sockets.drain());
      instances.push({ instance, sockets });
      await instance.listen({ ...address });
      const bound = instance.server.address();
      return { port: typeof bound === 'object' && bound !== null ? bound.port : 0 };
    },
    renewTls(tls) {
      for (const { instance } of instances) {
        if (instance.server instanceof TlsServer) instance.server.setSecureContext(tls);
      }
    },
    async close() {
      await Promise.all(instances.map(({ sockets }) => sockets.stopListening()));
      if (options.surface === 'api') options.eventStreams.stop();
      streams.close();
      await Promise.all(instances.map(({ instance }) => instance.close())).finally(() => {
        streams.closed();
      });
    },
  };
}

/** No route has a JSON schema, so Fastify does not need to load its schema compilers. */
const NO_SCHEMAS = { buildValidator: refuseSchemas, buildSerializer: refuseSchemas };

function refuseSchemas(): never {
  throw new Error('routes with JSON schemas are not supported');
}

function createInstance(
  options: HttpServerOptions,
  oneAtATime: OneAtATime,
  streams: PassedStreams,
): FastifyInstance {
  const { surface, sidecar, methods } = options;
  const templates = methods.flatMap(({ row }) => row.http.map(({ template }) => template));
  const toRoutableUrl = createUrlRewriter(templates);
  const instance = fastify({
    serverFactory: (answer) => createConnections(options, oneAtATime, answer),
    rewriteUrl: ({ url = '/' }) => toRoutableUrl(url),
    routerOptions: { maxParamLength: Number.MAX_SAFE_INTEGER },
    exposeHeadRoutes: false,
    return503OnClosing: false,
    schemaController: { compilersFactory: NO_SCHEMAS },
    clientErrorHandler: answerClientError,
    frameworkErrors: (_error, _request, reply) => {
      void answerBadUrl(reply);
    },
  });
  const { bodies: kept, turns } = options.shares;
  takeAnyBody(instance, { maxBytes: options.maxBodyBytes, kept, turns });
  const isWhole = surface === 'api';
  const { upstream } = options;
  markPassed(instance, { upstream, isWhole });
  addObservation(instance, { observer: sidecar.observer, isLogged: isWhole });
  if (isWhole && options.allowedOrigins.length > 0) addCors(instance, options.allowedOrigins);
  if (isWhole) addTokenCheck(instance, sidecar);
  addAccessCheck(instance, { isWhole, isAllowed: sidecar.isAllowed });
  addForeignOriginCheck(instance, options.allowedOrigins);
  const hasCors = isWhole && options.allowedOrigins.length > 0;
  addPassing(instance, { sidecar, upstream, isWhole, hasCors, streams });
  addErrorHandling(instance, options.logger);
  for (const method of methods) {
    if (isWhole || method.row.isPublic) method.addTo(instance, options.eventStreams);
  }
  return instance;
}

/** Creates Node's server. */
function createConnections(
  { readBufferBytes, tls, upstream }: HttpServerOptions,
  oneAtATime: OneAtATime,
  answer: RequestListener,
): Server {
  const settings = {
    maxHeaderSize: readBufferBytes + HEADER_SLOP_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    connectionsCheckingInterval: CONNECTIONS_CHECK_MS,
    // As in daprd, neither bodies nor idle connections have a time limit. If the server closed an
    // idle connection of a client's pool, the client's next call could fail.
    requestTimeout: 0,
    keepAliveTimeout: 0,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEPALIVE_MS,
  };
  const listener = oneAtATime.wrap((request, response) => {
    if (!answerUnsupported(request)) answer(request, response);
  });
  const server =
    tls === undefined
      ? createServer(settings, listener)
      : createTlsServer({ ...settings, ...tls }, listener);
  // All of them. Node's parser obeys also the fields that it does not show, so a body could be
  // delimited by one that is not passed on. Their size is bounded by maxHeaderSize.
  server.maxHeadersCount = 0;
  // The upstream decides whether the client shall send its body. Without one, Node says so.
  if (upstream?.http !== undefined) server.on('checkContinue', listener);
  server.on('connect', answerConnect);
  oneAtATime.watch(server);
  return server;
}
