import type { StreamsFullError } from '../api/event-streams';
import { METADATA_FULL } from '../sidecar/metadata';
import type { UpstreamError } from '../upstream/upstream-error';

/** An error that is specific to HTTP, and not in the lock catalogue. */
export class HttpError extends Error implements HttpForm {
  override readonly name = 'HttpError';
  readonly errorCode: string;
  readonly httpStatus: HttpForm['httpStatus'];
  readonly retryAfterSeconds: number | undefined;

  /** @param options `cause` is the original error. It goes to the log and is never sent. */
  constructor(message: string, form: HttpForm, options?: { readonly cause: unknown }) {
    super(message, options);
    this.errorCode = form.errorCode;
    this.httpStatus = form.httpStatus;
    this.retryAfterSeconds = form.retryAfterSeconds;
  }
}

/** The answer to one kind of failure: a row of {@link httpErrors}. */
interface HttpForm {
  readonly errorCode: string;
  readonly httpStatus: 400 | 403 | 404 | 413 | 415 | 500 | 502 | 503;
  /** Seconds after which the same request may succeed. Undefined if waiting does not help. */
  readonly retryAfterSeconds?: number | undefined;
}

/**
 * The errors that only HTTP can answer, with daprd's codes and texts (dapr/dapr
 * pkg/messages/predefined.go, pkg/api/http). docs/errors.md lists the same rows; a test compares
 * them.
 */
export const httpErrors = {
  /** The body is larger than --max-body-size, or the client disconnected while sending it. */
  bodyUnreadable: (reason: string) =>
    new HttpError(`failed to read request body: ${reason}`, {
      errorCode: 'ERR_BODY_READ',
      httpStatus: 400,
    }),
  /** Not in daprd, which keeps bodies until it runs out of memory. See the BodyReader. */
  bodiesOverloaded: () =>
    new HttpError(
      'failed to read request body: the memory limit for long request bodies is reached; nothing was done, retry later',
      { errorCode: 'ERR_BODY_READ', httpStatus: 503, retryAfterSeconds: 1 },
    ),
  /** The body is not a valid JSON form of the request. The text after daprd's prefix is our own. */
  bodyMalformed: (reason: string) =>
    new HttpError(`failed deserializing HTTP body: ${reason}`, {
      errorCode: 'ERR_MALFORMED_REQUEST',
      httpStatus: 400,
    }),
  /** Native API: a query parameter is invalid. */
  queryMalformed: (reason: string) =>
    new HttpError(`invalid query: ${reason}`, {
      errorCode: 'ERR_MALFORMED_REQUEST',
      httpStatus: 400,
    }),
  /**
   * Native API: the body has another content type. Browsers let a page of another origin send some
   * of those without a preflight.
   */
  bodyNotJson: () =>
    new HttpError('the content-type header must be application/json; nothing was done', {
      errorCode: 'ERR_UNSUPPORTED_MEDIA_TYPE',
      httpStatus: 415,
    }),
  /** Native API: the client does not accept the content type of events. */
  eventsNotAccepted: () =>
    new HttpError('the accept header must allow application/x-ndjson; nothing was done', {
      errorCode: 'ERR_MALFORMED_REQUEST',
      httpStatus: 400,
    }),
  /** Native API, calls with one answer: the client does not accept JSON. */
  jsonNotAccepted: () =>
    new HttpError('the accept header must allow application/json; nothing was done', {
      errorCode: 'ERR_MALFORMED_REQUEST',
      httpStatus: 400,
    }),
  /** Native API: the lock to be read is free. */
  lockNotHeld: () =>
    new HttpError('the lock is free', { errorCode: 'ERR_LOCK_NOT_HELD', httpStatus: 404 }),
  /** No such route, or not with this method: daprd takes it for a service invocation. */
  notRouted: () =>
    new HttpError('failed getting app id either from the URL path or the header dapr-app-id', {
      errorCode: 'ERR_DIRECT_INVOKE',
      httpStatus: 404,
    }),
  notReady: (targets: readonly string[]) =>
    new HttpError(`dapr is not ready: [${targets.join(' ')}]`, {
      errorCode: 'ERR_HEALTH_NOT_READY',
      httpStatus: 500,
    }),
  outboundNotReady: () =>
    new HttpError('dapr outbound is not ready', {
      errorCode: 'ERR_OUTBOUND_HEALTH_NOT_READY',
      httpStatus: 500,
    }),
  appIdMismatch: () =>
    new HttpError('dapr app-id does not match', {
      errorCode: 'ERR_HEALTH_APPID_NOT_MATCH',
      httpStatus: 500,
    }),
  /** Not in daprd, which accepts metadata until it runs out of memory. */
  metadataFull: () =>
    new HttpError(METADATA_FULL, { errorCode: 'ERR_METADATA_FULL', httpStatus: 413 }),
  /** The limit of open event streams is reached. */
  streamsFull: ({ message, errorCode, retryAfterSeconds }: StreamsFullError) =>
    new HttpError(message, { errorCode, httpStatus: 503, retryAfterSeconds }),
  /** Not in daprd, which lets pages of any origin take locks. */
  foreignOrigin: (origin: string) =>
    new HttpError(
      `a browser sent this call for a page of another origin: ${origin} is not in --allowed-origins`,
      { errorCode: 'ERR_FOREIGN_ORIGIN', httpStatus: 403 },
    ),
  /** The sidecar behind this one did not get the request, or its answer was lost. */
  upstream: ({ message, errorCode, failure, retryAfterSeconds }: UpstreamError) =>
    new HttpError(message, {
      errorCode,
      httpStatus: failure === 'overloaded' ? 503 : 502,
      retryAfterSeconds,
    }),
  /** A defect. Its own text goes only to the log. */
  internal: (cause: unknown) =>
    new HttpError('internal error', { errorCode: 'ERR_INTERNAL', httpStatus: 500 }, { cause }),
} as const;
