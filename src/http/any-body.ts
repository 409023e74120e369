import type { IncomingMessage } from 'node:http';

import type { FastifyInstance } from 'fastify';

import { type BodyBounds, BodyReader, lengthOf } from './body-reader';
import { httpErrors } from './http-errors';

declare module 'fastify' {
  interface FastifyRequest {
    /** Undefined until a body is read. */
    bodyReader: BodyReader | undefined;
    /** The content type in the request. Empty if it has none. */
    contentType: string;
  }

  interface FastifyContextConfig {
    /**
     * The body limit of a route that can't use bodies of any length, and the error for longer ones.
     */
    readonly longestBody?: BodyBounds['longest'];
  }
}

/** How long the rest of a body may take after its request was answered, in milliseconds. */
const REST_MS = 1000;

/**
 * Accepts a body of any content type as bytes: daprd never looks at the content type, and the
 * native API checks it later. Add this before the routes.
 *
 * @param bounds `maxBytes` is the limit for the bodies of all routes (--max-body-size); undefined
 *   means no limit
 */
export function takeAnyBody(
  instance: FastifyInstance,
  bounds: Pick<BodyBounds, 'kept' | 'turns'> & { readonly maxBytes: number | undefined },
): void {
  const { kept, turns, maxBytes = Infinity } = bounds;
  const any = { bytes: maxBytes, refuse: () => httpErrors.bodyUnreadable('stream too large') };

  instance.decorateRequest('bodyReader', undefined);
  instance.decorateRequest('contentType', '');
  instance.removeAllContentTypeParsers();
  instance.addContentTypeParser('*', (request, _payload, done) => {
    const { longestBody = any } = request.routeOptions.config;
    const longest = lengthOf(request.raw) > maxBytes ? any : longestBody;
    request.bodyReader = new BodyReader({ longest, kept, turns });
    request.bodyReader.read(request.raw, done);
  });
  instance.addHook('onRequest', (request, reply, done) => {
    const { raw } = request;
    request.contentType = raw.headers['content-type'] ?? '';
    // Fastify would answer 415 to a type that it can't read.
    delete raw.headers['content-type'];
    reply.raw.once('close', () => {
      request.bodyReader?.release();
      if (!raw.complete) limitRest(raw);
    });
    done();
  });
}

/**
 * Closes the connection if a body has not ended in time after its request was answered. Nobody uses
 * the rest of it.
 */
function limitRest(request: IncomingMessage): void {
  const { socket } = request;
  setTimeout(() => {
    if (!request.complete) socket.destroy();
  }, REST_MS).unref();
}
