import { isUtf8 } from 'node:buffer';

import type { MethodDefinition } from '@grpc/proto-loader';
import { Reader } from 'protobufjs/minimal';

/**
 * A request is not a valid message of its type. The text is the one that grpc-go sends to daprd's
 * clients.
 */
export class RequestDecodeError extends Error {
  override readonly name = 'RequestDecodeError';

  constructor(reason: string, options?: { readonly cause: unknown }) {
    super(`grpc: error unmarshalling request: ${reason}`, options);
  }
}

/** Go's message for bytes that are not a valid message. */
const INVALID = 'proto: cannot parse invalid wire-format data';

/**
 * Creates the decoder of a method's request from its descriptor. It supports flat messages of
 * strings, int32 and int64; no served method needs more. protobufjs reads the bytes but does not
 * decode the message, because it differs from Go in two ways that matter for locks. It replaces
 * every byte that is not UTF-8 by U+FFFD, so that two owners who differ only in such bytes would be
 * the same, and each could release the other's lock. And it reads a field of the wrong wire type as
 * text, where Go ignores it.
 *
 * The decoder throws {@link RequestDecodeError}.
 */
export function createRequestDecoder(
  method: MethodDefinition<object, object>,
): (bytes: Buffer) => object {
  const fields = readFields(method.requestType.type);
  const empty = Object.fromEntries(
    [...fields.values()].map(({ name, zero, isOptional }) => [name, isOptional ? undefined : zero]),
  );
  return (bytes) => {
    try {
      return { ...empty, ...decode(Reader.create(bytes), fields) };
    } catch (error) {
      if (error instanceof RequestDecodeError) throw error;
      throw new RequestDecodeError(INVALID, { cause: error });
    }
  };
}

/** A field of a request. */
interface RequestField {
  readonly name: string;
  /** The expected wire type. With any other wire type, the field is unknown. */
  readonly wireType: number;
  readonly zero: string | number;
  /** True for an optional field. If it is missing, it is undefined and not its zero value. */
  readonly isOptional: boolean;
  readonly read: (reader: Reader) => string | number;
}

type RequestFields = ReadonlyMap<number, RequestField>;

/** The wire types and readers of field types (protobuf encoding, Message Structure). */
const FIELD_TYPES: Readonly<Record<string, Omit<RequestField, 'name' | 'isOptional'>>> = {
  TYPE_STRING: { wireType: 2, zero: '', read: readString },
  TYPE_INT32: { wireType: 0, zero: 0, read: (reader) => reader.int32() },
  TYPE_INT64: { wireType: 0, zero: 0, read: readInt64 },
};

/** The relevant part of a DescriptorProto in proto-loader's JSON form. */
interface MessageDescriptor {
  readonly field: readonly {
    readonly name: string;
    readonly number: number;
    readonly type: string;
  }[];
  readonly oneofDecl: readonly { readonly name: string }[];
}

function readFields(descriptor: object): RequestFields {
  const { field, oneofDecl } = descriptor as MessageDescriptor;
  return new Map(
    field.map(({ name, number, type }) => {
      const fieldType = FIELD_TYPES[type];
      if (fieldType === undefined) throw new Error(`requests can't have fields of type ${type}`);
      // protoc declares an optional field as a oneof with one member, named after the field.
      const isOptional = oneofDecl.some((oneof) => oneof.name === `_${name}`);
      return [number, { name, isOptional, ...fieldType }];
    }),
  );
}

/**
 * Maximum number of fields that are read in a message, fields in groups included. A request has
 * four. Four megabytes can hold two million fields; reading them would block all other calls for
 * more than a second.
 */
const MOST_FIELDS = 10_000;

/** The wire types of the start and the end of a group (protobuf encoding, Message Structure). */
const [START_GROUP, END_GROUP] = [3, 4];

/** Reads the fields of a message. If a field is repeated, its last value counts. */
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
  // A reader over a Buffer returns slices of that Buffer.
  return (bytes as Buffer).toString('utf8');
}

/** Above 2^53, the result is not a safe integer. The lock service refuses such values. */
function readInt64(reader: Reader): number {
  const value: unknown = reader.int64();
  return Number(value);
}
