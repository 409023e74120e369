import type { AddressInfo } from 'node:net';

import { fastify, type FastifyInstance } from 'fastify';

import type { LockService } from '../lock/lock-service';
import type { Logger } from '../lock/logger';
import type { Sidecar } from '../sidecar/sidecar';
import { answerBadUrl, answerClientError } from './client-errors';
import { addErrorHandling } from './error-handling';
import { addLockRoutes } from './lock-routes';
import { OpenSockets } from './open-sockets';
import { toRoutableUrl } from './routable-url';
import { addSidecarRoutes } from './sidecar-routes';
import { addTokenCheck } from './token-check';

/** What the HTTP transport stands on. */
export interface HttpServerOptions {
  readonly locks: LockService;
  readonly sidecar: Sidecar;
  readonly logger: Logger;
  /** Longest request body in bytes (--max-body-size); undefined for no limit. */
  readonly maxBodyBytes: number | undefined;
  /** --read-buffer-size in bytes: how much of request headers is taken, see {@link HEADER_SLOP_BYTES}. */
  readonly readBufferBytes: number;
}

/** The HTTP transport of the sidecar: HTTP/1.1 only. */
export interface HttpServer {
  /** Binds one more address; rejects with the system's error. Port 0 takes a free one. */
  listen(address: { readonly host: string; readonly port: number }): Promise<{ port: number }>;
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
    async listen({ host, port }) {
      const instance = createInstance(options);
      const sockets = new OpenSockets(instance.server);
      // By then Fastify answers with `Connection: close`.
      instance.addHook('preClose', () => sockets.drain());
      instances.push({ instance, sockets });
      await instance.listen({ host, port });
      return { port: (instance.server.address() as AddressInfo).port };
    },
    async close() {
      await Promise.all(instances.map(({ sockets }) => sockets.stopListening()));
      await Promise.all(instances.map(({ instance }) => instance.close()));
    },
  };
}

function createInstance(options: HttpServerOptions): FastifyInstance {
  const instance = fastify({
    http: {
      maxHeaderSize: options.readBufferBytes + HEADER_SLOP_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: CONNECTIONS_CHECK_MS,
    },
    bodyLimit: options.maxBodyBytes ?? Number.MAX_SAFE_INTEGER,
    rewriteUrl: ({ url = '/' }) => toRoutableUrl(url),
    routerOptions: { maxParamLength: Number.MAX_SAFE_INTEGER },
    exposeHeadRoutes: false,
    return503OnClosing: false,
    clientErrorHandler: answerClientError,
    frameworkErrors: (_error, _request, reply) => {
      void answerBadUrl(reply);
    },
  });
  // Neither bodies nor idle connections are timed, as in daprd: a client's pool that finds its
  // connection closed under it fails a call. Fastify takes 0 for its own default.
  instance.server.keepAliveTimeout = 0;
  takeAnyBody(instance);
  addTokenCheck(instance, options.sidecar);
  addErrorHandling(instance, options.logger);
  addSidecarRoutes(instance, options.sidecar);
  addLockRoutes(instance, options.locks);
  return instance;
}

/** daprd never looks at the content type: whatever a request says of its body, we get the bytes. */
function takeAnyBody(instance: FastifyInstance): void {
  instance.removeAllContentTypeParsers();
  instance.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });
  // Fastify would answer 415 to one that it can't read.
  instance.addHook('onRequest', (request, _reply, done) => {
    delete request.raw.headers['content-type'];
    done();
  });
}
