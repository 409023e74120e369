import type { FastifyInstance, FastifyReply } from 'fastify';

import type { ApiObserver, ObservedCall } from '../api/api-observer';
import { bytesOf, HttpApiCall } from './http-api-call';

declare module 'fastify' {
  interface FastifyRequest {
    /** Undefined if nothing is observed. */
    observed: ObservedCall | undefined;
    /** The code of the error with which the request was answered. */
    errorCode: string | undefined;
    /** True for requests that are not logged, as in daprd: refused requests and preflights. */
    isUnlogged: boolean;
  }
}

/**
 * Reports every request to the observer, including those that match no route, and sends the trace
 * headers that it returns. Add this before anything that may answer a request.
 */
export function addObservation(
  instance: FastifyInstance,
  { observer, isLogged }: { readonly observer: ApiObserver; readonly isLogged: boolean },
): void {
  instance.decorateRequest('observed', undefined);
  instance.decorateRequest('errorCode', undefined);
  instance.decorateRequest('isUnlogged', false);

  const end = (observed: ObservedCall, reply: FastifyReply): void => {
    const { request, raw } = reply;
    observed.end({
      status: reply.statusCode,
      responseBytes: raw.headersSent ? bytesOf(reply.getHeader('content-length')) : 0,
      errorCode: request.errorCode,
      isLogged: isLogged && !request.isUnlogged,
    });
  };

  instance.addHook('onRequest', (request, reply, done) => {
    const observed = observer.begin(new HttpApiCall(request));
    if (observed === undefined) {
      done();
      return;
    }
    request.observed = observed;
    reply.headers(observed.responseHeaders);
    reply.raw.once('close', () => {
      if (reply.raw.headersSent) end(observed, reply);
    });
    if (observed.refusal === undefined) {
      done();
      return;
    }
    reply
      .code(400)
      .header('content-type', 'text/plain; charset=utf-8')
      .send(`${observed.refusal}\n`);
  });
  // If a client disconnects before its answer, the request is recorded with the answer that it
  // would have received, as soon as that is known. daprd does the same: its handlers run to their
  // end. So a Redis that hangs shows as 500, however soon its callers give up, and no call is
  // recorded with the initial 200 of a reply.
  // It uses the callback so that Fastify sends at once. After an async hook, Fastify would have to watch
  // the response of an async handler until it is sent.
  // eslint-disable-next-line max-params -- Fastify's signature
  instance.addHook('onSend', ({ observed }, reply, payload, done) => {
    if (reply.raw.closed && observed !== undefined) end(observed, reply);
    done(null, payload);
  });
}
