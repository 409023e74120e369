import type { LockObserver } from '../lock/lock-observer';
import type { MethodRow } from './api-method';

/** The route that serves the path of an HTTP call. */
export interface ApiRoute {
  /** Its path, with a name in braces for what clients choose: `/v1.0-alpha1/lock/{store}`. */
  readonly template: string;
  /** What stands for `{store}`, decoded; undefined where the route has none. */
  readonly storeName: string | undefined;
}

/** A call of the sidecar's API that begins. */
export interface ApiCall {
  readonly protocol: 'http' | 'grpc';
  /** The HTTP verb; for gRPC always POST. */
  readonly verb: string;
  /** The path as it was called, without a query; for gRPC `/package.Service/Method`. */
  readonly path: string;
  /** The path with its query. */
  readonly target: string;
  /** Its row of the table; undefined where no method has the path. */
  readonly method: MethodRow | undefined;
  /** Undefined for gRPC, and where no route serves the path. */
  readonly route: ApiRoute | undefined;
  /** A header (HTTP) or the text of a metadata key (gRPC), by its lower-cased name. */
  header(name: string): string | undefined;
  /** The names of all headers. */
  headerNames(): readonly string[];
  /** The bytes of a binary metadata key; undefined over HTTP. */
  binary(name: string): Buffer | undefined;
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  /** Bytes of the request's body, as far as they are known before it is read. */
  readonly requestBytes: number;
}

/** How a call of the API ended. */
export interface ApiResult {
  /** The HTTP status, or the gRPC status code. */
  readonly status: number;
  readonly responseBytes: number;
  /** Bytes of the request's body, where they are known only now. */
  readonly requestBytes?: number;
  /** Dapr's code of the error that was answered. */
  readonly errorCode: string | undefined;
  /** False for calls that daprd does not log: without the token, preflights, the public port. */
  readonly isLogged: boolean;
}

/** A call that is watched. */
export interface ObservedCall {
  /** Sent with the answer: the trace that the call belongs to. */
  readonly responseHeaders: Readonly<Record<string, string>>;
  /** The same in gRPC's binary form; undefined for none. */
  readonly responseTraceBin: Buffer | undefined;
  /** The client's baggage, which goes back as it came; undefined for none. */
  readonly responseBaggage: string | undefined;
  /** Why the call can't be taken as it stands: the client's own tracing headers are broken. */
  readonly refusal: string | undefined;
  /** Is told of the lock call that this call is. */
  readonly lockObserver: LockObserver | undefined;
  /** To be called once. */
  end(result: ApiResult): void;
}

/** Watches the calls of both transports: metrics, traces and API logs behind one door. */
export interface ApiObserver {
  /** Undefined where nothing is to be watched. */
  begin(call: ApiCall): ObservedCall | undefined;
}
