import { isUtf8 } from 'node:buffer';

import type { MethodDefinition } from '@grpc/proto-loader';
import { Reader } from 'protobufjs';

/** A request that is no message of its type; worded as grpc-go words it to daprd's clients. */
export class RequestDecodeError extends Error {
  override readonly name = 'RequestDecodeError';

  constructor(reason: string, options?: { readonly cause: unknown }) {
    super(`grpc: error unmarshalling request: ${reason}`, options);
  }
}

const LENGTH_DELIMITED = 2;

/**
 * Makes the decoder of a method's request. It refuses string fields that are not valid UTF-8:
 * protobufjs folds every bad byte into U+FFFD, and then two owners that differ in such bytes only
 * would be one, and either could release the other's lock.
 *
 * The decoder throws {@link RequestDecodeError}.
 */
export function createRequestDecoder(
  method: MethodDefinition<object, object>,
): (bytes: Buffer) => object {
  const stringFields = stringFieldNumbers(method.requestType.type);
  return (bytes) => {
    try {
      assertUtf8(bytes, stringFields);
      return method.requestDeserialize(bytes);
    } catch (error) {
      if (error instanceof RequestDecodeError) throw error;
      throw new RequestDecodeError('proto: cannot parse invalid wire-format data', {
        cause: error,
      });
    }
  };
}

/** Walks the top level of a message; the requests have strings nowhere else. */
function assertUtf8(bytes: Buffer, stringFields: ReadonlySet<number>): void {
  const reader = Reader.create(bytes);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const [field, wireType] = [tag >>> 3, tag & 7];
    if (wireType !== LENGTH_DELIMITED || !stringFields.has(field)) {
      reader.skipType(wireType);
    } else if (!isUtf8(reader.bytes())) {
      throw new RequestDecodeError('string field contains invalid UTF-8');
    }
  }
}

/** The part of a DescriptorProto, in proto-loader's JSON form, that is looked at. */
interface MessageDescriptor {
  readonly field: readonly { readonly number: number; readonly type: string }[];
}

function stringFieldNumbers(descriptor: object): ReadonlySet<number> {
  const { field } = descriptor as MessageDescriptor;
  return new Set(field.filter(({ type }) => type === 'TYPE_STRING').map(({ number }) => number));
}
