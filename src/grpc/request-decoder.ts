import { isUtf8 } from 'node:buffer';

import type { MethodDefinition } from '@grpc/proto-loader';
import { Reader } from 'protobufjs/minimal';

/** A request that is no message of its type; worded as grpc-go words it to daprd's clients. */
export class RequestDecodeError extends Error {
  override readonly name = 'RequestDecodeError';

  constructor(reason: string, options?: { readonly cause: unknown }) {
    super(`grpc: error unmarshalling request: ${reason}`, options);
  }
}

/** Go's words for bytes that are no message. */
const INVALID = 'proto: cannot parse invalid wire-format data';

/**
 * Makes the decoder of a method's request from its descriptor: flat messages of strings and int32,
 * which is all that is served. protobufjs reads the bytes but does not decode the message, as it
 * differs from Go in two ways that matter to a lock: it folds every byte that is not UTF-8 into
 * U+FFFD, so that two owners who differ in such bytes only would be one and either could release the
 * other's lock; and it takes a field of the wrong wire type for its text, where Go ignores it.
 *
 * The decoder throws {@link RequestDecodeError}.
 */
export function createRequestDecoder(
  method: MethodDefinition<object, object>,
): (bytes: Buffer) => object {
  const fields = readFields(method.requestType.type);
  const empty = Object.fromEntries([...fields.values()].map(({ name, zero }) => [name, zero]));
  return (bytes) => {
    try {
      return { ...empty, ...decode(Reader.create(bytes), fields) };
    } catch (error) {
      if (error instanceof RequestDecodeError) throw error;
      throw new RequestDecodeError(INVALID, { cause: error });
    }
  };
}

/** A field that a request may have. */
interface RequestField {
  readonly name: string;
  /** The wire type that it comes with; any other makes it an unknown field. */
  readonly wireType: number;
  readonly zero: string | number;
  readonly read: (reader: Reader) => string | number;
}

type RequestFields = ReadonlyMap<number, RequestField>;

/** How the two types of fields come over the wire (protobuf encoding, Message Structure). */
const FIELD_TYPES: Readonly<Record<string, Omit<RequestField, 'name'>>> = {
  TYPE_STRING: { wireType: 2, zero: '', read: readString },
  TYPE_INT32: { wireType: 0, zero: 0, read: (reader) => reader.int32() },
};

/** The part of a DescriptorProto, in proto-loader's JSON form, that is looked at. */
interface MessageDescriptor {
  readonly field: readonly {
    readonly name: string;
    readonly number: number;
    readonly type: string;
  }[];
}

function readFields(descriptor: object): RequestFields {
  const { field } = descriptor as MessageDescriptor;
  return new Map(
    field.map(({ name, number, type }) => {
      const fieldType = FIELD_TYPES[type];
      if (fieldType === undefined) throw new Error(`requests can't have fields of type ${type}`);
      return [number, { name, ...fieldType }];
    }),
  );
}

/**
 * The most fields of a message that are read, those in groups too. A request has four; four megabytes hold
 * two million, which would take longer than a second in which nobody else is served.
 */
const MOST_FIELDS = 10_000;

/** Wire types of a group's two ends (protobuf encoding, Message Structure). */
const [START_GROUP, END_GROUP] = [3, 4];

/** The fields that a message names; of one that is repeated the last counts. */
function decode(reader: Reader, fields: RequestFields): Record<string, string | number> {
  const message: Record<string, string | number> = {};
  let openGroups = 0;
  for (let count = 1; reader.pos < reader.len; count += 1) {
    if (count > MOST_FIELDS) throw new RequestDecodeError(`more than ${MOST_FIELDS} fields`);
    const tag = reader.uint32();
    const [number, wireType] = [tag >>> 3, tag & 7];
    if (number === 0) throw new RequestDecodeError(INVALID);
    const field = openGroups === 0 ? fields.get(number) : undefined;
    if (field?.wireType === wireType) message[field.name] = field.read(reader);
    else if (wireType === START_GROUP) openGroups += 1;
    else if (wireType === END_GROUP && openGroups > 0) openGroups -= 1;
    else reader.skipType(wireType);
  }
  if (openGroups > 0) throw new RequestDecodeError(INVALID);
  return message;
}

function readString(reader: Reader): string {
  const bytes = reader.bytes();
  if (!isUtf8(bytes)) throw new RequestDecodeError('string field contains invalid UTF-8');
  // A reader over a Buffer gives parts of it.
  return (bytes as Buffer).toString('utf8');
}
