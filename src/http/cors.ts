import type { IncomingHttpHeaders } from 'node:http';

import type { FastifyInstance, FastifyReply } from 'fastify';

import { createOriginCheck } from './allowed-origins';

/**
 * The methods that daprd allows to pages of other origins (dapr/dapr pkg/api/http, by go-chi/cors).
 */
const METHODS = ['HEAD', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

const PREFLIGHT_VARY = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers';

/**
 * Allows browsers to call from other origins (--allowed-origins). Preflights are answered before
 * the API token is checked, because browsers send no token with them.
 *
 * @param allowedOrigins each may contain one `*`; a lone `*` matches any origin
 */
export function addCors(instance: FastifyInstance, allowedOrigins: readonly string[]): void {
  const allowsAll = allowedOrigins.includes('*');
  const isAllowed = createOriginCheck(allowedOrigins);

  const allow = (reply: FastifyReply, origin: string): void => {
    void reply.header('access-control-allow-origin', allowsAll ? '*' : origin);
  };

  const answerPreflight = (headers: IncomingHttpHeaders, reply: FastifyReply): FastifyReply => {
    const { origin = '' } = headers;
    const method = (headers['access-control-request-method'] ?? '').toUpperCase();
    void reply.header('vary', PREFLIGHT_VARY).code(200);
    if (!isAllowed(origin) || !METHODS.includes(method)) return reply.send();
    allow(reply, origin);
    void reply.header('access-control-allow-methods', method);
    const names = toHeaderNames(headers['access-control-request-headers'] ?? '');
    return (names === '' ? reply : reply.header('access-control-allow-headers', names)).send();
  };

  instance.addHook('onRequest', async (request, reply) => {
    const { method, headers } = request;
    const { origin = '' } = headers;
    const isPreflight = method === 'OPTIONS' && 'access-control-request-method' in headers;
    request.isUnlogged = isPreflight;
    if (isPreflight) return answerPreflight(headers, reply);
    void reply.header('vary', 'Origin');
    if (isAllowed(origin) && METHODS.includes(method)) allow(reply, origin);
    return undefined;
  });
}

/** Writes header names as Go does: `X-Custom-Header`. */
function toHeaderNames(list: string): string {
  return list
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '')
    .map((name) => name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase()))
    .join(', ');
}
