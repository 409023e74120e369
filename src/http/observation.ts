import type { FastifyInstance, FastifyReply } from 'fastify';

import type { ApiObserver, ObservedCall } from '../api/api-observer';
import { bytesOf, HttpApiCall } from './http-api-call';

declare module 'fastify' {
  interface FastifyRequest {
    /** Undefined where nothing watches. */
    observed: ObservedCall | undefined;
    /** The code of the error that is answered. */
    errorCode: string | undefined;
    /** True for requests that are not logged, as in daprd: refused ones and preflights. */
    isUnlogged: boolean;
  }
}

/**
 * Shows every request to the observer, those to no route too, and sends the trace headers that it
 * gives. To be added before anything that may answer.
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
  // A client that hangs up before its answer counts as what it would have been told, once that is
  // known, as in daprd, whose handlers run to their end: a Redis that hangs shows as 500 however
  // soon its callers lose patience, and no call counts as the 200 that a reply begins with.
  instance.addHook('onSend', async ({ observed }, reply) => {
    if (reply.raw.closed && observed !== undefined) end(observed, reply);
  });
}
