import { Writer } from 'protobufjs/minimal';

/** Encodes messages of one type. Their members are named as the fields are, in lowerCamelCase. */
export type MessageEncoder = (message: object) => Buffer;

/** The descriptors of the messages in a package, by their names without that of the package. */
export type MessageDescriptors = ReadonlyMap<string, object>;

/** The relevant part of a DescriptorProto in proto-loader's JSON form. */
interface MessageDescriptor {
  readonly name: string;
  readonly field: readonly FieldDescriptor[];
  readonly nestedType: readonly MessageDescriptor[];
  readonly oneofDecl: readonly { readonly name: string }[];
}

interface FieldDescriptor {
  readonly name: string;
  readonly number: number;
  readonly type: string;
  readonly typeName: string;
  readonly label: string;
}

type Write = (writer: Writer, value: unknown) => void;

/** Tags have the wire type in three bits (protobuf encoding, Message Structure). */
const [VARINT, LENGTH] = [0, 2];

/** The fields that are not messages, with their wire type. */
const SCALARS: Readonly<Record<string, readonly [wireType: number, write: Write]>> = {
  TYPE_BOOL: [VARINT, (writer, value) => writer.bool(value as boolean)],
  TYPE_ENUM: [VARINT, (writer, value) => writer.int32(value as number)],
  TYPE_INT32: [VARINT, (writer, value) => writer.int32(value as number)],
  TYPE_INT64: [VARINT, (writer, value) => writer.int64(value as number)],
  TYPE_STRING: [LENGTH, (writer, value) => writer.string(value as string)],
};

/** Values that proto3 leaves out, unless their field is optional. */
const ZEROS: ReadonlySet<unknown> = new Set([false, 0, '']);

/**
 * Creates an encoder from descriptors. It does without protobufjs's codecs, whose library takes 7 MB
 * of memory, and each of whose codecs takes longer to create than a lock call. Undefined for messages
 * that it can't encode: those with other types of fields, or with messages that are not in `others`.
 */
export function createMessageEncoder(
  descriptor: object,
  others: MessageDescriptors,
): MessageEncoder | undefined {
  const write = toMessageWriter(descriptor as MessageDescriptor, others);
  if (write === undefined) return undefined;
  return (message) => {
    const writer = Writer.create();
    write(writer, message);
    return Buffer.from(writer.finish());
  };
}

function toMessageWriter(
  descriptor: MessageDescriptor,
  others: MessageDescriptors,
): Write | undefined {
  const fields = descriptor.field.map((field) => {
    const write = toFieldWriter(field, descriptor, others);
    return write && { name: field.name, write };
  });
  if (!fields.every((field) => field !== undefined)) return undefined;
  return (writer, message) => {
    for (const { name, write } of fields) write(writer, (message as Record<string, unknown>)[name]);
  };
}

/** Undefined for a type that is not known. */
function toFieldWriter(
  field: FieldDescriptor,
  { nestedType, oneofDecl }: MessageDescriptor,
  others: MessageDescriptors,
): Write | undefined {
  const { name, number, type, typeName } = field;
  const found = nestedType.find((nested) => nested.name === typeName) ?? others.get(typeName);
  const [wireType, write] =
    type === 'TYPE_MESSAGE'
      ? [LENGTH, found && toNestedWriter(found as MessageDescriptor, others)]
      : (SCALARS[type] ?? []);
  if (wireType === undefined || write === undefined) return undefined;
  const tag = (number << 3) | wireType;
  const writeOne: Write = (writer, value) => {
    write(writer.uint32(tag), value);
  };
  if (field.label === 'LABEL_REPEATED') {
    // Numbers would be packed.
    if (wireType !== LENGTH) return undefined;
    return (writer, values) => {
      for (const value of values as readonly unknown[]) writeOne(writer, value);
    };
  }
  // protoc declares an optional field as a oneof with one member, named after the field.
  const isOptional = oneofDecl.some((oneof) => oneof.name === `_${name}`);
  return (writer, value) => {
    if (value === undefined || value === null || (!isOptional && ZEROS.has(value))) return;
    writeOne(writer, value);
  };
}

function toNestedWriter(
  descriptor: MessageDescriptor,
  others: MessageDescriptors,
): Write | undefined {
  const write = toMessageWriter(descriptor, others);
  return (
    write &&
    ((writer, message) => {
      write(writer.fork(), message);
      writer.ldelim();
    })
  );
}
