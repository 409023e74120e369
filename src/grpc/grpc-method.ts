import type { MethodDefinition } from '@grpc/proto-loader';

import type { MethodCall, MethodRow, UnaryMethod } from '../api/api-method';
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

/** A row that is served over gRPC. */
export type GrpcRow = MethodRow & { readonly grpcPath: string };

/** A method as a gRPC server takes it. */
export type GrpcMethod = GrpcUnaryMethod;

/** The methods of the proto files, by their paths. */
export type Definitions = ReadonlyMap<string, MethodDefinition<object, object>>;

/** Rows of a table, by name. */
type Rows<Api> = { readonly [Name in keyof Api]: UnaryMethod<never, unknown> };

/** For methods whose answers differ from their messages: how the one becomes the other. */
export type ToMessages<Api> = {
  readonly [Name in keyof Api]?: Api[Name] extends UnaryMethod<never, infer Response>
    ? (response: Response) => object
    : never;
};

/**
 * Gives the rows of a table that have a gRPC path their codecs, which the proto files say.
 *
 * @throws {Error} where no proto file declares a path
 */
export function bindMethods<Api extends Rows<Api>>(
  api: Api,
  definitions: Definitions,
  toMessages: ToMessages<Api> = {},
): readonly GrpcMethod[] {
  return Object.entries<UnaryMethod<never, unknown>>(api).flatMap(([name, method]) => {
    const { grpcPath } = method;
    if (grpcPath === undefined) return [];
    const definition = definitions.get(grpcPath);
    if (definition === undefined) throw new Error(`the proto files declare no method ${grpcPath}`);
    const toMessage = toMessages[name as keyof Api] as ((response: unknown) => object) | undefined;
    return [bindUnary({ ...method, grpcPath }, definition, toMessage)];
  });
}

function bindUnary(
  method: UnaryMethod<never, unknown> & GrpcRow,
  definition: MethodDefinition<object, object>,
  toMessage: ((response: unknown) => object) | undefined,
): GrpcUnaryMethod {
  const decode = createRequestDecoder(definition);
  const encode = createAnswerEncoder(definition);
  return {
    kind: 'unary',
    row: method,
    answer: async (bytes, call) => {
      // The proto file gives both their shapes; a test holds them against the types of the rows.
      const response = await method.handle(decode(bytes) as never, call);
      return encode(toMessage === undefined ? (response as object) : toMessage(response));
    },
  };
}
