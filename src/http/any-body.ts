import type { ServerResponse } from 'node:http';

import type { FastifyInstance } from 'fastify';

import { type BodyBounds, BodyReader, lengthOf } from './body-reader';
import { httpErrors } from './http-errors';

declare module 'fastify' {
  interface FastifyRequest {
    /** The response to the request. Content type parsers have no other way to it. */
    answer: ServerResponse | undefined;
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

  instance.decorateRequest('answer', undefined);
  instance.decorateRequest('contentType', '');
  instance.removeAllContentTypeParsers();
  instance.addContentTypeParser('*', (request, _payload, done) => {
    const { longestBody = any } = request.routeOptions.config;
    const longest = lengthOf(request.raw) > maxBytes ? any : longestBody;
    const reader = new BodyReader({ longest, kept, turns }, (release) => {
      request.answer?.once('close', release);
    });
    reader.read(request.raw, done);
  });
  instance.addHook('onRequest', (request, reply, done) => {
    const { raw } = request;
    request.answer = reply.raw;
    request.contentType = raw.headers['content-type'] ?? '';
    // Fastify would answer 415 to a type that it can't read.
    delete raw.headers['content-type'];
    done();
  });
}
