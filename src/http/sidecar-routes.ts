import type { FastifyInstance } from 'fastify';

import type { ApiGroup } from '../api/api-groups';
import { FORCE_SHUTDOWN_HEADER, type Sidecar } from '../api/sidecar';
import { MAX_EXTENDED_BYTES, type SidecarMetadataView } from '../sidecar/metadata';
import { httpErrors } from './http-errors';
import { sendJson } from './json-reply';
import { toMetadataBody } from './metadata-body';

/** The health routes, which need no token. */
export const HEALTH_PATHS: readonly string[] = ['/v1.0/healthz', '/v1.0/healthz/outbound'];

/** The options of a route: what it is called, and to which group of the API it belongs. */
const route = (operation: string, group?: ApiGroup) => ({
  config: group === undefined ? { operation } : { operation, group },
});

/** Adds the probes. */
export function addHealthRoutes(instance: FastifyInstance, { appId, health }: Sidecar): void {
  const probe = route('GetHealthz');
  instance.get<{ Querystring: { appid?: string } }>('/v1.0/healthz', probe, (request, reply) => {
    const { unreadyTargets } = health;
    if (unreadyTargets.length > 0) throw httpErrors.notReady(unreadyTargets);
    const asked = request.query.appid ?? '';
    if (asked !== '' && asked !== appId) throw httpErrors.appIdMismatch();
    return reply.code(204).send();
  });

  instance.get('/v1.0/healthz/outbound', route('GetOutboundHealthz'), (_request, reply) => {
    if (!health.outboundReady) throw httpErrors.outboundNotReady();
    return reply.code(204).send();
  });
}

/** Adds the sidecar's description of itself. */
export function addMetadataRoutes(instance: FastifyInstance, { metadata }: Sidecar): void {
  // Written anew only when something has changed.
  let written: { readonly view: SidecarMetadataView; readonly body: string } | undefined;
  instance.get('/v1.0/metadata', route('GetMetadata', 'metadata'), (_request, reply) => {
    const view = metadata.view();
    if (written?.view !== view) written = { view, body: toMetadataBody(view) };
    return sendJson(reply, 200, written.body);
  });

  const longestBody = { bytes: MAX_EXTENDED_BYTES, refuse: httpErrors.metadataFull };
  instance.put<{ Params: { key: string }; Body: Buffer | undefined }>(
    '/v1.0/metadata/:key',
    { config: { operation: 'SetMetadata', group: 'metadata', longestBody } },
    (request, reply) => {
      metadata.set(request.params.key, request.body?.toString('utf8') ?? '');
      return reply.code(204).send();
    },
  );
}

/** Adds the shutdown of the process. */
export function addShutdownRoute(instance: FastifyInstance, sidecar: Sidecar): void {
  instance.post('/v1.0/shutdown', route('Shutdown', 'shutdown'), async (request, reply) => {
    await reply.code(204).send();
    sidecar.requestShutdown({ force: request.headers[FORCE_SHUTDOWN_HEADER] === 'true' });
  });
}
