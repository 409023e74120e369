import type { ServerResponse } from 'node:http';

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import type { Sidecar } from '../api/sidecar';
import { API_TOKEN_HEADER } from '../sidecar/api-token';
import type { HttpUpstream } from '../upstream/http-upstream';
import { isOwnTarget } from '../upstream/own-paths';
import type { PassedStreams } from '../upstream/passed-streams';
import type { Upstream } from '../upstream/upstream';
import type { UpstreamError } from '../upstream/upstream-error';
import { toErrorBody } from './error-handling';
import { httpErrors } from './http-errors';
import { joinMetadata } from './joined-metadata';
import { withField, without } from './passed-fields';
import { type ArrivedRequest, PassedRequest } from './passed-request';

declare module 'fastify' {
  interface FastifyRequest {
    /** True for a request that is passed on to the sidecar behind this one. */
    isPassed: boolean;
  }
}

/** The status under which a request is observed whose client left before its answer (nginx's). */
const CLIENT_LEFT = 499;

/** The options of {@link addPassing}. */
export interface PassingOptions {
  readonly sidecar: Sidecar;
  /** Undefined if HTTP requests are not passed on. */
  readonly upstream: Upstream | undefined;
  /** True for the whole API. False for the public port. */
  readonly isWhole: boolean;
  /** True if CORS is decided here (--allowed-origins) and not by the upstream. */
  readonly hasCors: boolean;
  /** The passed requests of the server. */
  readonly streams: PassedStreams;
}

/**
 * Marks the requests that are passed on. Add this before all that looks at the mark: it is the
 * first hook.
 */
export function markPassed(
  instance: FastifyInstance,
  { upstream, isWhole }: Pick<PassingOptions, 'upstream' | 'isWhole'>,
): void {
  instance.decorateRequest('isPassed', false);
  if (upstream?.http === undefined) return;
  instance.addHook('onRequest', (request, _reply, done) => {
    const { row } = request.routeOptions.config;
    request.isPassed = request.is404
      ? isWhole && !isOwnTarget(request.originalUrl)
      : row?.behind !== undefined;
    done();
  });
}

/**
 * Passes the marked requests on. Add this after all other hooks, so that a request without the token
 * and a page of a foreign origin are refused here.
 */
export function addPassing(instance: FastifyInstance, options: PassingOptions): void {
  const { upstream } = options;
  const http = upstream?.http;
  if (upstream === undefined || http === undefined) return;
  instance.addHook('onRequest', (request, reply, done) => {
    if (!request.isPassed) {
      if (request.raw.headers.expect !== undefined) reply.raw.writeContinue();
      done();
      return;
    }
    reply.hijack();
    pass(reply, { ...options, upstream, http });
  });
}

function pass(
  reply: FastifyReply,
  options: PassingOptions & { readonly upstream: Upstream; readonly http: HttpUpstream },
): void {
  const { upstream, http, streams } = options;
  const { request, raw: response } = reply;
  const arrived = toArrived(reply, options);
  const fail = (error: UpstreamError): void => {
    request.errorCode = error.errorCode;
    sendFailure(response, error, arrived.ownFields);
  };
  try {
    upstream.calls.begin();
  } catch (error) {
    fail(error as UpstreamError);
    return;
  }
  const passed = new PassedRequest(arrived, http, fail);
  streams.add(passed);
  response.once('close', () => {
    upstream.calls.end();
    streams.remove(passed);
    if (response.headersSent) return;
    const { observed, errorCode } = request;
    observed?.end({ status: CLIENT_LEFT, responseBytes: 0, errorCode, isLogged: true });
  });
  passed.begin();
}

function toArrived(reply: FastifyReply, options: PassingOptions): ArrivedRequest {
  const { request, raw: response } = reply;
  const { hasCors } = options;
  const isJoined = request.routeOptions.config.row?.behind === 'joined';
  return {
    request: request.raw,
    response,
    target: request.originalUrl,
    rawHeaders: toRequestFields(request, options, isJoined),
    ownFields: hasCors ? corsFieldsOf(reply) : [],
    isDropped: (name) => hasCors && name.startsWith('access-control-'),
    change: isJoined
      ? (body) => joinMetadata(body, options.sidecar.metadata.view().components)
      : undefined,
  };
}

/** The public port asks no token of its callers, but the upstream may ask one of this sidecar. */
function toRequestFields(
  { raw: { rawHeaders } }: FastifyRequest,
  { isWhole, upstream }: PassingOptions,
  isJoined: boolean,
): readonly string[] {
  const token = isWhole ? undefined : upstream?.apiToken;
  const fields = isJoined ? without(rawHeaders, (name) => name === 'accept-encoding') : rawHeaders;
  return token === undefined ? fields : withField(fields, API_TOKEN_HEADER, token);
}

function corsFieldsOf(reply: FastifyReply): readonly string[] {
  return ['vary', 'access-control-allow-origin'].flatMap((name) => {
    const value = reply.getHeader(name);
    return value === undefined ? [] : [name, String(value)];
  });
}

function sendFailure(
  response: ServerResponse,
  error: UpstreamError,
  ownFields: readonly string[],
): void {
  const answer = httpErrors.upstream(error);
  const { retryAfterSeconds } = answer;
  const body = toErrorBody(answer);
  // Node keeps the phrase of a head that it refused to write, and would refuse it again.
  response.statusMessage = '';
  response.writeHead(answer.httpStatus, [
    ...['content-type', 'application/json', 'content-length', String(Buffer.byteLength(body))],
    ...(retryAfterSeconds === undefined ? [] : ['retry-after', String(retryAfterSeconds)]),
    ...ownFields,
  ]);
  response.end(body);
}
