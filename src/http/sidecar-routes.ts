import type { FastifyInstance } from 'fastify';

import { FORCE_SHUTDOWN_HEADER, type Sidecar } from '../sidecar/sidecar';
import { httpErrors } from './http-errors';
import { sendJson } from './json-reply';
import { toMetadataBody } from './metadata-body';

/** The health routes, which need no token. */
export const HEALTH_PATHS: readonly string[] = ['/v1.0/healthz', '/v1.0/healthz/outbound'];

/** Adds what a sidecar serves beside locks: health, metadata, shutdown. */
export function addSidecarRoutes(instance: FastifyInstance, sidecar: Sidecar): void {
  const { appId, health, metadata } = sidecar;

  instance.get<{ Querystring: { appid?: string } }>('/v1.0/healthz', (request, reply) => {
    const { unreadyTargets } = health;
    if (unreadyTargets.length > 0) throw httpErrors.notReady(unreadyTargets);
    const asked = request.query.appid ?? '';
    if (asked !== '' && asked !== appId) throw httpErrors.appIdMismatch();
    return reply.code(204).send();
  });

  instance.get('/v1.0/healthz/outbound', (_request, reply) => {
    if (!health.outboundReady) throw httpErrors.outboundNotReady();
    return reply.code(204).send();
  });

  instance.get('/v1.0/metadata', (_request, reply) =>
    sendJson(reply, 200, toMetadataBody(metadata.view())),
  );

  instance.put<{ Params: { key: string }; Body: Buffer | undefined }>(
    '/v1.0/metadata/:key',
    (request, reply) => {
      metadata.set(request.params.key, request.body?.toString('utf8') ?? '');
      return reply.code(204).send();
    },
  );

  instance.post('/v1.0/shutdown', async (request, reply) => {
    await reply.code(204).send();
    sidecar.requestShutdown({ force: request.headers[FORCE_SHUTDOWN_HEADER] === 'true' });
  });
}
