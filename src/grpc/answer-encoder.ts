import type { MethodDefinition } from '@grpc/proto-loader';
import { Writer } from 'protobufjs/minimal';

import { createMessageEncoder, type MessageDescriptors } from './message-encoder';

/**
 * Creates the encoder of a method's answers. The answers of the lock calls consist of one boolean
 * or one enum, so they have only a few values. Each value is encoded once and kept, without
 * protobufjs's codec, whose creation takes longer than a lock call. Other answers are encoded by
 * {@link createMessageEncoder} where it can.
 *
 * @param messages the messages of which answers of this method consist
 */
export function createAnswerEncoder(
  method: MethodDefinition<object, object>,
  messages: MessageDescriptors = new Map(),
): (answer: object) => Buffer {
  const { type } = method.responseType;
  const field = onlyField(type);
  if (field === undefined) {
    const encode = createMessageEncoder(type, messages);
    return encode ?? ((answer) => method.responseSerialize(omitZeroValues(answer)));
  }
  const known = new Map<number, Buffer>();
  return (answer) => {
    const value = Number((answer as Readonly<Record<string, unknown>>)[field.name]);
    let bytes = known.get(value);
    if (bytes === undefined) {
      bytes = encodeVarint(field.number, value);
      known.set(value, bytes);
    }
    return bytes;
  };
}

/** The relevant part of a FieldDescriptorProto in proto-loader's JSON form. */
interface FieldDescriptor {
  readonly name: string;
  readonly number: number;
  readonly type: string;
  readonly label: string;
}

/** Field types with few values, all encoded as varints. Texts are never kept. */
const FEW_VALUES = ['TYPE_BOOL', 'TYPE_ENUM'];

/** The field of a message that has only one, if that field has few values. */
function onlyField(descriptor: object): FieldDescriptor | undefined {
  const { field } = descriptor as { readonly field: readonly FieldDescriptor[] };
  const [first] = field;
  if (field.length !== 1 || first === undefined || first.label === 'LABEL_REPEATED')
    return undefined;
  return FEW_VALUES.includes(first.type) ? first : undefined;
}

/**
 * Encodes a message of one varint (protobuf encoding, Message Structure). The zero value is encoded
 * as no bytes.
 */
function encodeVarint(field: number, value: number): Buffer {
  // A value that is not a number would be encoded as 0, which means "unlocked".
  if (!Number.isInteger(value)) throw new Error('an answer has neither a flag nor a number');
  if (value === 0) return Buffer.alloc(0);
  return Buffer.from(
    Writer.create()
      .uint32(field << 3)
      .int32(value)
      .finish(),
  );
}

/** proto3 omits zero values on the wire. protobufjs does so only for absent fields. */
function omitZeroValues(message: object): object {
  return Object.fromEntries(
    Object.entries(message).filter(([, value]) => value !== false && value !== 0 && value !== ''),
  );
}
