import type { FastifyInstance, FastifyReply } from 'fastify';

import type { ApiGroup } from '../sidecar/api-groups';
import type { Sidecar } from '../sidecar/sidecar';
import { httpErrors } from './http-errors';
import { sendError } from './error-handling';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The group of the API that a route belongs to; without one it is always allowed. */
    readonly group?: ApiGroup;
  }
}

/** Every path that is served and its methods; `*` stands for one segment. */
const PATHS: readonly {
  readonly path: RegExp;
  readonly method: string;
  readonly group?: ApiGroup;
}[] = [
  { path: /^\/v1\.0\/healthz(?:\/outbound)?$/, method: 'GET' },
  { path: /^\/v1\.0\/metadata$/, method: 'GET', group: 'metadata' },
  { path: /^\/v1\.0\/metadata\/[^/]+$/, method: 'PUT', group: 'metadata' },
  { path: /^\/v1\.0\/shutdown$/, method: 'POST', group: 'shutdown' },
  { path: /^\/v1\.0-alpha1\/lock\/[^/]+$/, method: 'POST', group: 'lock' },
  { path: /^\/v1\.0-alpha1\/unlock\/[^/]+$/, method: 'POST', group: 'unlock' },
];

/** Which paths a server has. */
export interface Surface {
  /** True for the whole API, false for health and metadata alone (--dapr-public-port). */
  readonly isWhole: boolean;
  readonly isAllowed: Sidecar['isAllowed'];
}

/**
 * Answers what no route serves, or what the configuration does not allow, before any body is
 * read. daprd takes it for a service invocation; where that is not allowed, or not there at all,
 * its router answers by itself.
 */
export function addAccessCheck(instance: FastifyInstance, surface: Surface): void {
  const { isWhole, isAllowed } = surface;
  const answer = (path: string, reply: FastifyReply): FastifyReply => {
    if (isWhole && isAllowed('invoke', 'http')) return sendError(reply, httpErrors.notRouted());
    const methods = methodsOf(path, surface);
    if (methods.length > 0) return reply.code(405).header('allow', methods.join(', ')).send();
    return reply
      .code(404)
      .header('content-type', 'text/plain; charset=utf-8')
      .header('x-content-type-options', 'nosniff')
      .send('404 page not found\n');
  };

  instance.addHook('onRequest', async (request, reply) => {
    const { group } = request.routeOptions.config;
    const isServed = !request.is404 && (group === undefined || isAllowed(group, 'http'));
    return isServed ? undefined : answer(request.url.split('?', 1)[0] ?? '/', reply);
  });
  instance.setNotFoundHandler((request, reply) => answer(request.url, reply));
}

function methodsOf(path: string, { isWhole, isAllowed }: Surface): readonly string[] {
  return PATHS.filter(
    (entry) =>
      entry.path.test(path) &&
      (isWhole || entry.group === undefined || entry.group === 'metadata') &&
      (entry.group === undefined || isAllowed(entry.group, 'http')),
  ).map(({ method }) => method);
}
