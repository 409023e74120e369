import type { FastifyInstance, FastifyReply } from 'fastify';

import { type ApiAccess, isServed } from '../api/api-groups';
import type { MethodRow } from '../api/api-method';
import { sendError } from './error-handling';
import { httpErrors } from './http-errors';

/** A route, for finding out which HTTP methods a path has. */
interface ServedRoute {
  readonly path: RegExp;
  readonly verb: string;
  readonly method: MethodRow | undefined;
}

/** The part of the API that a server serves. */
export interface Surface {
  /** True for the whole API. False for health and metadata only (--dapr-public-port). */
  readonly isWhole: boolean;
  readonly isAllowed: ApiAccess;
}

/**
 * Answers requests that match no route, and requests that the configuration does not allow, before
 * any body is read. daprd treats such a request as a service invocation. If service invocation is
 * not allowed or not available, daprd's router answers. Add this check before the routes.
 */
export function addAccessCheck(instance: FastifyInstance, surface: Surface): void {
  const { isWhole, isAllowed } = surface;
  const routes: ServedRoute[] = [];
  const isServedHere = (method: MethodRow | undefined) => isServed(method, 'http', isAllowed);

  const answer = (path: string, reply: FastifyReply): FastifyReply => {
    if (isWhole && isAllowed('invoke', 'http')) return sendError(reply, httpErrors.notRouted());
    const verbs = routes
      .filter((route) => route.path.test(path) && isServedHere(route.method))
      .map(({ verb }) => verb);
    if (verbs.length > 0) return reply.code(405).header('allow', verbs.join(', ')).send();
    return reply
      .code(404)
      .header('content-type', 'text/plain; charset=utf-8')
      .header('x-content-type-options', 'nosniff')
      .send('404 page not found\n');
  };

  instance.addHook('onRoute', ({ url, method, config }) => {
    routes.push({ path: toPattern(url), verb: String(method), method: config?.row });
  });
  instance.addHook('onRequest', (request, reply, done) => {
    const isPassed = request.is404 && request.isPassed;
    if (isPassed || isServedHere(request.routeOptions.config.row)) done();
    else answer(request.url.split('?', 1)[0] ?? '/', reply);
  });
  instance.setNotFoundHandler((request, reply) => answer(request.url, reply));
}

/** Converts a route's path to a pattern. `:name` matches one segment. */
function toPattern(url: string): RegExp {
  const segments = url
    .split('/')
    .map((segment) =>
      segment.startsWith(':') ? '[^/]+' : segment.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&'),
    );
  return new RegExp(`^${segments.join('/')}$`);
}
