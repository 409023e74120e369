import type { FastifyInstance } from 'fastify';

import { isOpenToAll } from '../api/api-groups';
import type { Sidecar } from '../api/sidecar';
import { API_TOKEN_HEADER } from '../sidecar/api-token';

/**
 * Refuses requests without the right API token before any other check, including requests that
 * match no route. Health probes and the files of the page are exempt, because kubelets and browsers
 * can't send a token.
 */
export function addTokenCheck(instance: FastifyInstance, { checkToken }: Sidecar): void {
  if (checkToken === undefined) return;
  instance.addHook('onRequest', (request, reply, done) => {
    const header = request.headers[API_TOKEN_HEADER];
    const token = Array.isArray(header) ? header[0] : header;
    if (isOpenToAll(request.routeOptions.config.row) || checkToken(token) === 'valid') {
      done();
      return;
    }
    request.isUnlogged = true;
    reply
      .code(401)
      .header('content-type', 'text/plain; charset=utf-8')
      .header('x-content-type-options', 'nosniff')
      .send('invalid api token\n');
  });
}
