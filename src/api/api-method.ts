import type { Caller } from '../lock/lock-service';
import type { MethodAccess } from './api-groups';

/** One of the HTTP forms of a method. */
export interface HttpForm {
  readonly verb: 'GET' | 'POST' | 'PUT';
  /** Its path, with a name in braces for a segment that clients choose: `/v1.0/metadata/{key}`. */
  readonly template: string;
}

/**
 * A row of the table of methods, without its handler. Everything that both transports and those who
 * watch calls have to know of a method stands here and nowhere else. No field can be left out: a
 * method without an access rule does not compile.
 */
export interface MethodRow {
  /** What logs and traces call it, for example `TryLock`. */
  readonly operation: string;
  readonly access: MethodAccess;
  /** `/package.Service/Method`; undefined where it is not served over gRPC. */
  readonly grpcPath: string | undefined;
  /** All forms are answered alike; none where it is not served over HTTP. */
  readonly http: readonly HttpForm[];
  /** True where it is served on --dapr-public-port too, which asks for no token. */
  readonly isPublic: boolean;
}

/** What a call brings beside its request. Made by a transport. */
export interface MethodCall extends Caller {
  /** The first value of a metadata key (gRPC) or header (HTTP), by its lower-cased name. */
  metadata(name: string): string | undefined;
}

/**
 * A method with one answer. The handler is free of any transport's types; it rejects or throws with
 * an error of a catalogue, or, where there is a defect, with anything.
 */
export interface UnaryMethod<Request, Response> extends MethodRow {
  readonly kind: 'unary';
  readonly handle: (request: Request, call: MethodCall) => Response | Promise<Response>;
}
