import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';

import { fastify, type FastifyInstance } from 'fastify';

import type { EventStreams } from '../api/event-streams';
import type { Sidecar } from '../api/sidecar';
import type { Logger } from '../base/logger';
import type { ByteBudget } from '../servers/byte-budget';
import type { ListenAddress, ServerTls } from '../servers/listen-address';
import { OneAtATime, type Shares } from '../servers/one-at-a-time';
import { addAccessCheck } from './access';
import { takeAnyBody } from './any-body';
import { answerBadUrl, answerClientError, answerUnsupported } from './client-errors';
import { addCors } from './cors';
import { addErrorHandling } from './error-handling';
import { addForeignOriginCheck } from './foreign-origins';
import type { HttpMethod } from './http-method';
import { addObservation } from './observation';
import { OpenSockets } from './open-sockets';
import { createUrlRewriter } from './routable-url';
import { addTokenCheck } from './token-check';

/** What the HTTP transport stands on. */
export interface HttpServerOptions {
  /** What is served: all of it, or on the public port what is public. */
  readonly methods: readonly HttpMethod[];
  readonly sidecar: Sidecar;
  readonly logger: Logger;
  /** The streams of events that are open, those of the other transport too. */
  readonly eventStreams: EventStreams;
  /** Longest request body in bytes (--max-body-size); undefined for no limit. */
  readonly maxBodyBytes: number | undefined;
  /** --read-buffer-size in bytes: how much of request headers is taken, see {@link HEADER_SLOP_BYTES}. */
  readonly readBufferBytes: number;
  /** Pages of which origins may call (--allowed-origins); empty for none. */
  readonly allowedOrigins: readonly string[];
  /** Undefined for plain HTTP. */
  readonly tls: ServerTls | undefined;
  /** What its connections share with those of other servers. */
  readonly shares: HttpShares;
  /** `public` for health and metadata alone, without a token (--dapr-public-port). */
  readonly surface: 'api' | 'public';
}

/** What the connections of all HTTP servers share. */
export interface HttpShares extends Shares {
  /** For long bodies that are kept. */
  readonly bodies: ByteBudget;
}

/** The HTTP transport of the sidecar: HTTP/1.1 only. */
export interface HttpServer {
  /** Binds one more address; rejects with the system's error. Port 0 takes a free one. */
  listen(address: ListenAddress): Promise<{ port: number }>;
  /** Shows a renewed certificate to connections from now on. */
  renewTls(tls: ServerTls): void;
  /** Takes no new connections, lets requests in flight finish, and resolves when they have. */
  close(): Promise<void>;
}

/** What Go's server takes of headers beyond its limit, and so daprd beyond --read-buffer-size. */
const HEADER_SLOP_BYTES = 4096;

/** daprd's ReadHeaderTimeout; Node looks every second for connections that are past it. */
const HEADERS_TIMEOUT_MS = 10_000;
const CONNECTIONS_CHECK_MS = 1000;

/** Makes the HTTP transport; nothing listens before `listen`. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  // One instance for each address: Fastify itself listens on one.
  const instances: { readonly instance: FastifyInstance; readonly sockets: OpenSockets }[] = [];
  return {
    async listen(address) {
      const instance = createInstance(options);
      const sockets = new OpenSockets(instance.server);
      // By then Fastify answers with `Connection: close`.
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
      await Promise.all(instances.map(({ instance }) => instance.close()));
    },
  };
}

/** No route has a JSON schema, so Fastify need not load what compiles them. */
const NO_SCHEMAS = { buildValidator: refuseSchemas, buildSerializer: refuseSchemas };

function refuseSchemas(): never {
  throw new Error('routes have no JSON schemas here');
}

function createInstance(options: HttpServerOptions): FastifyInstance {
  const { surface, sidecar, methods } = options;
  const templates = methods.flatMap(({ row }) => row.http.map(({ template }) => template));
  const toRoutableUrl = createUrlRewriter(templates);
  const instance = fastify({
    serverFactory: (answer) => createConnections(options, answer),
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
  addObservation(instance, { observer: sidecar.observer, isLogged: isWhole });
  if (isWhole && options.allowedOrigins.length > 0) addCors(instance, options.allowedOrigins);
  if (isWhole) addTokenCheck(instance, sidecar);
  addAccessCheck(instance, { isWhole, isAllowed: sidecar.isAllowed });
  addForeignOriginCheck(instance, options.allowedOrigins);
  addErrorHandling(instance, options.logger);
  for (const method of methods) {
    if (isWhole || method.row.isPublic) method.addTo(instance, options.eventStreams);
  }
  return instance;
}

/** Makes Node's server. */
function createConnections(
  { readBufferBytes, tls, shares }: HttpServerOptions,
  answer: RequestListener,
): Server {
  const settings = {
    maxHeaderSize: readBufferBytes + HEADER_SLOP_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    connectionsCheckingInterval: CONNECTIONS_CHECK_MS,
    // Neither bodies nor idle connections are timed, as in daprd: a client's pool that finds its
    // connection closed under it fails a call.
    requestTimeout: 0,
    keepAliveTimeout: 0,
  };
  const oneAtATime = new OneAtATime(shares);
  const listener = oneAtATime.wrap((request, response) => {
    if (!answerUnsupported(request)) answer(request, response);
  });
  const server =
    tls === undefined
      ? createServer(settings, listener)
      : createTlsServer({ ...settings, ...tls }, listener);
  oneAtATime.watch(server);
  return server;
}
