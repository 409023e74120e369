/** A request that is answered with an error of HTTP's own, not of the lock catalogue. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly errorCode: string;
  readonly httpStatus: 400 | 404 | 500;

  /** @param options a `cause` is what led here: for the log, never sent */
  constructor(
    message: string,
    row: { readonly errorCode: string; readonly httpStatus: 400 | 404 | 500 },
    options?: { readonly cause: unknown },
  ) {
    super(message, options);
    this.errorCode = row.errorCode;
    this.httpStatus = row.httpStatus;
  }
}

/**
 * The errors that only HTTP can answer, with daprd's codes and words (dapr/dapr
 * pkg/messages/predefined.go, pkg/api/http). docs/errors.md lists the same rows; a test compares.
 */
export const httpErrors = {
  /** The body is larger than --max-body-size, or the client went away in the middle of it. */
  bodyUnreadable: (reason: string) =>
    new HttpError(`failed to read request body: ${reason}`, {
      errorCode: 'ERR_BODY_READ',
      httpStatus: 400,
    }),
  /** The body is no JSON form of the request. What follows daprd's words is ours. */
  bodyMalformed: (reason: string) =>
    new HttpError(`failed deserializing HTTP body: ${reason}`, {
      errorCode: 'ERR_MALFORMED_REQUEST',
      httpStatus: 400,
    }),
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
  /** A defect; its own text is for the log. */
  internal: (cause: unknown) =>
    new HttpError('internal error', { errorCode: 'ERR_INTERNAL', httpStatus: 500 }, { cause }),
} as const;
