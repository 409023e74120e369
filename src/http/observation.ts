import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import type { ApiCall, ApiObserver, ApiRoute, ObservedCall } from '../sidecar/api-observer';

declare module 'fastify' {
  interface FastifyRequest {
    /** Undefined where nothing watches. */
    observed: ObservedCall | undefined;
    /** The code of the error that is answered. */
    errorCode: string | undefined;
    /** True for requests that are not logged, as in daprd: refused ones and preflights. */
    isUnlogged: boolean;
  }

  interface FastifyContextConfig {
    /** What the operation of a route is called in logs. */
    readonly operation?: string;
  }
}

/**
 * Shows every request to the observer, those to no route too, and sends the trace headers that it
 * gives. To be added before anything that may answer.
 */
export function addObservation(
  instance: FastifyInstance,
  { observer, isLogged }: { readonly observer: ApiObserver; readonly isLogged: boolean },
): void {
  instance.decorateRequest('observed', undefined);
  instance.decorateRequest('errorCode', undefined);
  instance.decorateRequest('isUnlogged', false);

  const end = (observed: ObservedCall, reply: FastifyReply): void => {
    const { request, raw } = reply;
    observed.end({
      status: reply.statusCode,
      responseBytes: raw.headersSent ? bytesOf(reply.getHeader('content-length')) : 0,
      errorCode: request.errorCode,
      isLogged: isLogged && !request.isUnlogged,
    });
  };

  instance.addHook('onRequest', async (request, reply) => {
    const observed = observer.begin(toApiCall(request));
    if (observed === undefined) return undefined;
    request.observed = observed;
    reply.headers(observed.responseHeaders);
    reply.raw.once('close', () => {
      if (reply.raw.headersSent) end(observed, reply);
    });
    if (observed.refusal === undefined) return undefined;
    return reply
      .code(400)
      .header('content-type', 'text/plain; charset=utf-8')
      .send(`${observed.refusal}\n`);
  });
  // A client that hangs up before its answer counts as what it would have been told, once that is
  // known, as in daprd, whose handlers run to their end: a Redis that hangs shows as 500 however
  // soon its callers lose patience, and no call counts as the 200 that a reply begins with.
  instance.addHook('onSend', async ({ observed }, reply) => {
    if (reply.raw.closed && observed !== undefined) end(observed, reply);
  });
}

/** What is told of the route, see {@link ApiRoute}. */
function toRoute({ is404, routeOptions, params }: FastifyRequest): ApiRoute | undefined {
  const { url } = routeOptions;
  if (is404 || url === undefined) return undefined;
  const { store: storeName } = params as { readonly store?: string };
  return { template: url.replace(/:(\w+)/g, '{$1}'), storeName };
}

function toApiCall(request: FastifyRequest): ApiCall {
  const { raw } = request;
  const target = raw.url ?? '/';
  const [path = '/'] = request.originalUrl.split('?', 1);
  return {
    protocol: 'http',
    verb: request.method,
    path,
    target: request.originalUrl === '' ? target : request.originalUrl,
    operation: request.routeOptions.config.operation,
    route: toRoute(request),
    header: (name) => {
      const value = raw.headers[name];
      return Array.isArray(value) ? value[0] : value;
    },
    headerNames: () => Object.keys(raw.headers),
    binary: () => undefined,
    remoteAddress: raw.socket.remoteAddress,
    remotePort: raw.socket.remotePort,
    requestBytes: bytesOf(raw.headers['content-length']),
  };
}

function bytesOf(header: unknown): number {
  const bytes = Number(header ?? 0);
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : 0;
}
