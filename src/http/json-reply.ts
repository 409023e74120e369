import type { FastifyReply } from 'fastify';

/**
 * Sends a JSON body in exactly these bytes and with exactly daprd's content type: Fastify would
 * add a charset to a string's.
 */
export function sendJson(reply: FastifyReply, status: number, json: string): FastifyReply {
  return reply.code(status).header('content-type', 'application/json').send(Buffer.from(json));
}
