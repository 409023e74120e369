import type { Caller } from '../lock/lock-service';
import type { MethodAccess } from './api-groups';

/** One of the HTTP forms of a method. */
export interface HttpForm {
  readonly verb: 'GET' | 'POST' | 'PUT';
  /** The path, with parameter names in braces: `/v1.0/metadata/{key}`. */
  readonly template: string;
}

/**
 * A row of the method table, without its handler. It is the only place for what the transports and
 * the observers need to know about a method. Every field is required: a method without an access
 * rule does not compile.
 */
export interface MethodRow {
  /** The method's name in logs and traces, for example `TryLock`. */
  readonly operation: string;
  readonly access: MethodAccess;
  /** `/package.Service/Method`. Undefined if the method is not served over gRPC. */
  readonly grpcPath: string | undefined;
  /** All forms have the same answer. Empty if the method is not served over HTTP. */
  readonly http: readonly HttpForm[];
  /** True if the method is also served on --dapr-public-port, which requires no token. */
  readonly isPublic: boolean;
  /**
   * How the method is answered in front of another sidecar (--upstream-grpc-endpoint): `passed` on
   * to it, or its answer `joined` with ours. Undefined if it is answered here in any case.
   */
  readonly behind?: 'passed' | 'joined';
}

/** The parts of a call besides its request. Created by a transport. */
export interface MethodCall extends Caller {
  /** The first value of a metadata key (gRPC) or header (HTTP). The name is in lower case. */
  metadata(name: string): string | undefined;
  /**
   * Sends metadata with a successful answer: as a header over HTTP, as trailing metadata over gRPC.
   *
   * @param name in lower case
   */
  attach(name: string, value: string): void;
  /**
   * Records that the call may wait for a lock. It is then not counted among the calls of its connection, because one
   * of those may be the release that it waits for.
   */
  waits(): void;
}

/**
 * A method with one answer. The handler uses no types of a transport. It fails with an error of a
 * catalogue, or, if there is a defect, with any other value.
 */
export interface UnaryMethod<Request, Response> extends MethodRow {
  readonly kind: 'unary';
  readonly handle: (request: Request, call: MethodCall) => Response | Promise<Response>;
}

/**
 * A method that answers with a stream of events (server streaming in Dapr's terms). The handler
 * pushes events, so a waiting stream is a single object without a timer or a promise.
 */
export interface StreamMethod<Request, Event> extends MethodRow {
  readonly kind: 'server-streaming';
  /** Starts the stream. Errors that it throws are answered like those of a unary method. */
  readonly open: (request: Request, stream: EventStream<Event>) => StreamHandler;
}

/** A row of the method table with its handler. */
export type ApiMethod<Request, Answer> =
  UnaryMethod<Request, Answer> | StreamMethod<Request, Answer>;

/** The transport's side of a stream. After its end nothing has an effect, and nothing throws. */
export interface EventStream<Event> extends Omit<MethodCall, 'signal' | 'attach' | 'waits'> {
  /** False once the stream was ended, or its client can't be reached any more. */
  readonly isOpen: boolean;
  /**
   * False while the client leaves a request for a sign of life unanswered. Only after
   * {@link expectAnswers}.
   */
  readonly isAnswering: boolean;
  /**
   * Asks the client for a sign of life again and again from now on. Call this at most once.
   *
   * HTTP/1.1 has no way to ask. There a client always counts as answering.
   *
   * @param everyMs the interval in milliseconds; a transport may have a shortest and a longest one
   */
  expectAnswers(everyMs: number): void;
  /**
   * Sends an event. Returns false if the client does not read fast enough. The event is then
   * buffered, and {@link StreamHandler.drained} is called when there is room for more.
   */
  send(event: Event): boolean;
  /** Ends the stream successfully after all sent events. */
  end(): void;
  /**
   * Ends the stream with an error. If nothing was sent before, it is answered like the error of a
   * unary call.
   */
  fail(error: unknown): void;
}

/** The handler's side of a stream. */
export interface StreamHandler {
  /** Called after a `send` returned false, when there is room again. */
  drained(): void;
  /**
   * Called when the client can't be reached any more. Not called if the handler itself ended the
   * stream.
   */
  closed(how: StreamEnd): void;
  /**
   * Called when the sidecar stops. The handler may send a last event. The stream ends when this
   * returns, unless it returns true: then the handler ends it in this turn of the event loop.
   */
  stopping(): boolean;
}

/**
 * How a stream ended, unless its handler ended it. `left`: the client cancelled, closed its
 * connection or exited. `deadline`: the call's deadline passed. `silent`: the connection was given
 * up without any notice from the client, so the client may still believe the last event.
 */
export type StreamEnd = 'left' | 'deadline' | 'silent';
