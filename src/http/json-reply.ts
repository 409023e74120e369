import type { FastifyReply } from 'fastify';

/**
 * Sends a JSON body with daprd's exact bytes and content type. Without a serializer, Fastify would
 * add a charset to the content type of a string. A string is sent together with its headers; a
 * Buffer would need a second write.
 */
export function sendJson(reply: FastifyReply, status: number, json: string): FastifyReply {
  const typed = reply.code(status).header('content-type', 'application/json');
  return typed.serializer(asItStands).send(json);
}

function asItStands(json: unknown): string {
  return json as string;
}
