import type { LockObserver } from '../lock/lock-observer';
import type { MethodRow } from './api-method';

/** The route that matches the path of an HTTP call. */
export interface ApiRoute {
  /** The path, with parameter names in braces: `/v1.0-alpha1/lock/{store}`. */
  readonly template: string;
  /** The decoded value of `{store}`. Undefined if the route has none. */
  readonly storeName: string | undefined;
}

/** An API call that has started. */
export interface ApiCall {
  readonly protocol: 'http' | 'grpc';
  /** The HTTP verb. Always POST for gRPC. */
  readonly verb: string;
  /** The requested path without the query. For gRPC `/package.Service/Method`. */
  readonly path: string;
  /** The requested path with the query. */
  readonly target: string;
  /** The row of the method table. Undefined if no method has the path. */
  readonly method: MethodRow | undefined;
  /** Undefined for gRPC, and if no route matches the path. */
  readonly route: ApiRoute | undefined;
  /** A header (HTTP) or the text of a metadata key (gRPC). The name is in lower case. */
  header(name: string): string | undefined;
  /** True for a call that is passed on to the sidecar behind this one. */
  readonly isPassed?: boolean;
  /** The names of all headers. */
  headerNames(): readonly string[];
  /** The bytes of a binary metadata key. Undefined over HTTP. */
  binary(name: string): Buffer | undefined;
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  /** Size of the request's body in bytes, as far as it is known before the body is read. */
  readonly requestBytes: number;
}

/** The result of an API call. */
export interface ApiResult {
  /** The HTTP status or the gRPC status code. */
  readonly status: number;
  readonly responseBytes: number;
  /** Size of the request's body in bytes, if it was not known at the start. */
  readonly requestBytes?: number;
  /** Dapr's code of the error with which the call was answered. */
  readonly errorCode: string | undefined;
  /**
   * False for calls that daprd does not log: calls without the token, preflights, calls on the
   * public port.
   */
  readonly isLogged: boolean;
}

/** An API call that is observed. */
export interface ObservedCall {
  /** The response headers that carry the trace of the call. */
  readonly responseHeaders: Readonly<Record<string, string>>;
  /** The trace in gRPC's binary form. Undefined if there is none. */
  readonly responseTraceBin: Buffer | undefined;
  /** The client's baggage, returned unchanged. Undefined if there is none. */
  readonly responseBaggage: string | undefined;
  /** Why the call is refused: the client's tracing headers are invalid. Undefined if it is not. */
  readonly refusal: string | undefined;
  /** Receives the events of the lock call that this call makes. */
  readonly lockObserver: LockObserver | undefined;
  /** Call this once. */
  end(result: ApiResult): void;
}

/** Observes the calls of both transports for metrics, traces and API logs. */
export interface ApiObserver {
  /** Undefined if the call is not observed. */
  begin(call: ApiCall): ObservedCall | undefined;
}
