import type { MethodDefinition } from '@grpc/proto-loader';

import type {
  ApiMethod,
  EventStream,
  MethodCall,
  MethodRow,
  StreamHandler,
  StreamMethod,
  UnaryMethod,
} from '../api/api-method';
import { createAnswerEncoder } from './answer-encoder';
import type { MessageDescriptors } from './message-encoder';
import { createRequestDecoder } from './request-decoder';

/**
 * A unary method of the table as a function from bytes to bytes. It does not depend on grpc-js, so
 * that another HTTP/2 implementation can serve it. `answer` rejects with an error of a catalogue,
 * with a RequestDecodeError, or, if there is a defect, with any other value.
 */
export interface GrpcUnaryMethod {
  readonly kind: 'unary';
  readonly row: GrpcRow;
  readonly answer: (request: Buffer, call: MethodCall) => Promise<Buffer>;
}

/**
 * A streaming method of the table. `open` throws the same errors with which `answer` of a unary
 * method rejects.
 */
export interface GrpcStreamMethod {
  readonly kind: 'server-streaming';
  readonly row: GrpcRow;
  readonly open: (request: Buffer, stream: EventStream<unknown>) => StreamHandler;
  readonly encode: (event: unknown) => Buffer;
}

/** A row that is served over gRPC. */
export type GrpcRow = MethodRow & { readonly grpcPath: string };

/** A method in the form that the gRPC server needs. */
export type GrpcMethod = GrpcUnaryMethod | GrpcStreamMethod;

/** What the proto files declare. */
export interface Definitions {
  /** By path. */
  readonly methods: ReadonlyMap<string, MethodDefinition<object, object>>;
  /** The messages of which answers consist. Those that are not there are encoded by proto-loader. */
  readonly messages?: MessageDescriptors;
}

/** The rows of a method table, by name. */
type Rows<Api> = { readonly [Name in keyof Api]: ApiMethod<never, unknown> };

/** Converters from answers (or events) to proto messages, for the methods where the two differ. */
export type ToMessages<Api> = {
  readonly [Name in keyof Api]?: Api[Name] extends ApiMethod<never, infer Answer>
    ? (answer: Answer) => object
    : never;
};

/**
 * Adds codecs from the proto files to the rows of a table that have a gRPC path.
 *
 * @throws {Error} if no proto file declares a path, or declares another kind of method
 */
export function bindMethods<Api extends Rows<Api>>(
  api: Api,
  { methods: definitions, messages }: Definitions,
  toMessages: ToMessages<Api> = {},
): readonly GrpcMethod[] {
  return Object.entries<ApiMethod<never, unknown>>(api).flatMap<GrpcMethod>(([name, method]) => {
    const { grpcPath } = method;
    if (grpcPath === undefined) return [];
    const definition = definitions.get(grpcPath);
    if (definition === undefined) throw new Error(`the proto files declare no method ${grpcPath}`);
    if (definition.responseStream !== (method.kind === 'server-streaming')) {
      throw new Error(
        `the proto files declare ${grpcPath} as another kind of method than ${method.kind}`,
      );
    }
    const encode = createEncoder(
      createAnswerEncoder(definition, messages),
      toMessages[name as keyof Api],
    );
    const decode = createRequestDecoder(definition);
    const codec: Codec = { decode, encode };
    if (method.kind === 'unary') return [bindUnary({ ...method, grpcPath }, codec)];
    return [bindStream({ ...method, grpcPath }, codec)];
  });
}

interface Codec {
  readonly decode: (bytes: Buffer) => object;
  readonly encode: (answer: unknown) => Buffer;
}

/** The proto file defines the shape of an answer. A test compares it with the type of the row. */
function createEncoder(encode: (answer: object) => Buffer, toMessage: unknown): Codec['encode'] {
  if (toMessage === undefined) return (answer) => encode(answer as object);
  return (answer) => encode((toMessage as (answer: unknown) => object)(answer));
}

function bindUnary(
  method: UnaryMethod<never, unknown> & GrpcRow,
  { decode, encode }: Codec,
): GrpcUnaryMethod {
  return {
    kind: 'unary',
    row: method,
    answer: async (bytes, call) => encode(await method.handle(decode(bytes) as never, call)),
  };
}

function bindStream(
  method: StreamMethod<never, unknown> & GrpcRow,
  { decode, encode }: Codec,
): GrpcStreamMethod {
  return {
    kind: 'server-streaming',
    row: method,
    open: (bytes, stream) => method.open(decode(bytes) as never, stream),
    encode,
  };
}
