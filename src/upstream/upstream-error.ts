/** How a call that should be passed on failed here. The upstream's own errors are passed through. */
export type UpstreamFailure = 'unavailable' | 'lost' | 'garbled' | 'overloaded' | 'deadline';

const ERROR_CODES: Readonly<Record<UpstreamFailure, string>> = {
  unavailable: 'ERR_UPSTREAM_UNAVAILABLE',
  lost: 'ERR_UPSTREAM_LOST',
  garbled: 'ERR_UPSTREAM_GARBLED',
  overloaded: 'ERR_UPSTREAM_OVERLOADED',
  deadline: 'ERR_UPSTREAM_UNAVAILABLE',
};

/** A call was not passed on, or its answer was lost on the way. */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  readonly failure: UpstreamFailure;
  /** The code of the error in HTTP answers and metrics. */
  readonly errorCode: string;
  /** Seconds after which the same call may succeed. Undefined if that is not known. */
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, failure: UpstreamFailure) {
    super(message);
    this.failure = failure;
    this.errorCode = ERROR_CODES[failure];
    this.retryAfterSeconds = failure === 'overloaded' ? 1 : undefined;
  }
}

/** The errors of passed calls. docs/errors.md lists them. */
export const upstreamErrors = {
  /** No connection to the upstream. The call can be repeated safely. */
  unavailable: (endpoint: string, reason: string) =>
    new UpstreamError(
      `the upstream sidecar at ${endpoint} can't be reached: ${reason}; the call was not passed on`,
      'unavailable',
    ),
  /** The connection ended while the call was in progress. */
  lost: (endpoint: string, reason: string) =>
    new UpstreamError(
      `the connection to the upstream sidecar at ${endpoint} was lost during the call: ${reason}; it is not known whether the call was carried out`,
      'lost',
    ),
  /** Headers of the call or of its answer can't be sent on. */
  garbled: (endpoint: string, reason: string) =>
    new UpstreamError(
      `the call or its answer from the upstream sidecar at ${endpoint} can't be passed on: ${reason}`,
      'garbled',
    ),
  /** The limit of --max-upstream-calls is reached. Lock calls have limits of their own. */
  overloaded: (limit: number) =>
    new UpstreamError(
      `the limit of ${limit} concurrent calls to the upstream sidecar is reached; the call was not passed on, retry later`,
      'overloaded',
    ),
  /** The deadline of a gRPC call passed before there was a connection. */
  deadline: (endpoint: string) =>
    new UpstreamError(
      `the deadline passed while connecting to the upstream sidecar at ${endpoint}; the call was not passed on`,
      'deadline',
    ),
  /** A stream is ended because this sidecar stops. */
  stopping: () =>
    new UpstreamError('Holdfast is stopping: it ends the streams that it passed on', 'unavailable'),
} as const;
