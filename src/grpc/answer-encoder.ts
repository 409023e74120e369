import type { MethodDefinition } from '@grpc/proto-loader';
import { Writer } from 'protobufjs/minimal';

/**
 * Makes the encoder of a method's answers. An answer of one flag or one enum, as those of the lock
 * calls are, is one of a few: each of them is encoded once and kept, without protobufjs's codec, whose
 * making takes longer than a lock.
 */
export function createAnswerEncoder(
  method: MethodDefinition<object, object>,
): (answer: object) => Buffer {
  const field = onlyField(method.responseType.type);
  if (field === undefined) return (answer) => method.responseSerialize(omitZeroValues(answer));
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

/** The part of a FieldDescriptorProto, in proto-loader's JSON form, that is looked at. */
interface FieldDescriptor {
  readonly name: string;
  readonly number: number;
  readonly type: string;
  readonly label: string;
}

/** Types of which a field takes few values here, all of them varints: no text is ever kept. */
const FEW_VALUES = ['TYPE_BOOL', 'TYPE_ENUM'];

/** A message's field where it has one, of few values. */
function onlyField(descriptor: object): FieldDescriptor | undefined {
  const { field } = descriptor as { readonly field: readonly FieldDescriptor[] };
  const [first] = field;
  if (field.length !== 1 || first === undefined || first.label === 'LABEL_REPEATED')
    return undefined;
  return FEW_VALUES.includes(first.type) ? first : undefined;
}

/** A message of one varint (protobuf encoding, Message Structure); its zero value is no bytes. */
function encodeVarint(field: number, value: number): Buffer {
  // What is no number would be written as 0, which is what "unlocked" is.
  if (!Number.isInteger(value)) throw new Error('an answer has neither a flag nor a number');
  if (value === 0) return Buffer.alloc(0);
  return Buffer.from(
    Writer.create()
      .uint32(field << 3)
      .int32(value)
      .finish(),
  );
}

/** proto3 leaves zero values off the wire, which protobufjs does for absent fields only. */
function omitZeroValues(message: object): object {
  return Object.fromEntries(
    Object.entries(message).filter(([, value]) => value !== false && value !== 0 && value !== ''),
  );
}
