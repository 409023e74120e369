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
import { createRequestDecoder } from './request-decoder';

/**
 * A row of the table as bytes in, bytes out: free of grpc-js, so that another HTTP/2 implementation can
 * serve it. `answer` rejects with an error of a catalogue, a RequestDecodeError, or, where there is a
 * defect, with anything.
 */
export interface GrpcUnaryMethod {
  readonly kind: 'unary';
  readonly row: GrpcRow;
  readonly answer: (request: Buffer, call: MethodCall) => Promise<Buffer>;
}

/** The same for a stream of events. `open` throws what the `answer` of a unary method rejects with. */
export interface GrpcStreamMethod {
  readonly kind: 'server-streaming';
  readonly row: GrpcRow;
  readonly open: (request: Buffer, stream: EventStream<unknown>) => StreamHandler;
  readonly encode: (event: unknown) => Buffer;
}

/** A row that is served over gRPC. */
export type GrpcRow = MethodRow & { readonly grpcPath: string };

/** A method as a gRPC server takes it. */
export type GrpcMethod = GrpcUnaryMethod | GrpcStreamMethod;

/** The methods of the proto files, by their paths. */
export type Definitions = ReadonlyMap<string, MethodDefinition<object, object>>;

/** Rows of a table, by name. */
type Rows<Api> = { readonly [Name in keyof Api]: ApiMethod<never, unknown> };

/** For methods whose answers (or events) differ from their messages: how the one becomes the other. */
export type ToMessages<Api> = {
  readonly [Name in keyof Api]?: Api[Name] extends ApiMethod<never, infer Answer>
    ? (answer: Answer) => object
    : never;
};

/**
 * Gives the rows of a table that have a gRPC path their codecs, which the proto files say.
 *
 * @throws {Error} where no proto file declares a path, or another kind of method by it
 */
export function bindMethods<Api extends Rows<Api>>(
  api: Api,
  definitions: Definitions,
  toMessages: ToMessages<Api> = {},
): readonly GrpcMethod[] {
  return Object.entries<ApiMethod<never, unknown>>(api).flatMap<GrpcMethod>(([name, method]) => {
    const { grpcPath } = method;
    if (grpcPath === undefined) return [];
    const definition = definitions.get(grpcPath);
    if (definition === undefined) throw new Error(`the proto files declare no method ${grpcPath}`);
    if (definition.responseStream !== (method.kind === 'server-streaming')) {
      throw new Error(`the proto files declare ${grpcPath} to be no ${method.kind} method`);
    }
    const encode = createEncoder(definition, toMessages[name as keyof Api]);
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

/** The proto file gives an answer its shape; a test holds it against the type of the row. */
function createEncoder(
  definition: MethodDefinition<object, object>,
  toMessage: unknown,
): Codec['encode'] {
  const encode = createAnswerEncoder(definition);
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
