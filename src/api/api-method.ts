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

/**
 * A method that answers with events for as long as it is of use, by Dapr's words a server stream. Events are
 * pushed: a handler that waits for its next event is one object, without a timer or a promise of its own.
 */
export interface StreamMethod<Request, Event> extends MethodRow {
  readonly kind: 'server-streaming';
  /** Begins; what it throws is answered as the error of a unary method is. */
  readonly open: (request: Request, stream: EventStream<Event>) => StreamHandler;
}

/** A row with its handler. */
export type ApiMethod<Request, Answer> =
  UnaryMethod<Request, Answer> | StreamMethod<Request, Answer>;

/** The transport's side of a stream. After its end nothing has an effect, and nothing throws. */
export interface EventStream<Event> extends Omit<MethodCall, 'signal'> {
  /** False once the stream was ended, or its client can't be reached any more. */
  readonly isOpen: boolean;
  /**
   * Sends an event. False where the client reads more slowly than is sent, or not at all: the event
   * is kept for it, and {@link StreamHandler.drained} says when there is room for more.
   */
  send(event: Event): boolean;
  /** Ends it well, after what was sent. */
  end(): void;
  /** Ends it with an error: as a unary call's where nothing was sent before, else in mid-stream. */
  fail(error: unknown): void;
}

/** The handler's side of a stream. */
export interface StreamHandler {
  /** There is room again, after a `send` that said false. */
  drained(): void;
  /** Nothing reaches the client any more; not told of an end that is the handler's own. */
  closed(how: StreamEnd): void;
  /** The sidecar stops: a last event may be sent. The stream is ended when this returns. */
  stopping(): void;
}

/**
 * How a stream ended that its handler did not end. The client `left`: it cancelled, or closed its
 * connection, or its process ended. Its `deadline` passed. It fell `silent`: its connection was given up
 * without a word from it, so that it may still believe what it was told.
 */
export type StreamEnd = 'left' | 'deadline' | 'silent';
