import type { MethodDefinition } from '@grpc/proto-loader';

/**
 * Makes the encoder of a method's answers. An answer of one number or one flag, as those of the lock
 * calls are, is one of a few: each of them is encoded once and kept.
 */
export function createAnswerEncoder(
  method: MethodDefinition<object, object>,
): (answer: object) => Buffer {
  const encode = (answer: object): Buffer => method.responseSerialize(omitZeroValues(answer));
  const field = onlyField(method.responseType.type);
  if (field === undefined) return encode;
  const known = new Map<unknown, Buffer>();
  return (answer) => {
    const value = (answer as Readonly<Record<string, unknown>>)[field];
    let bytes = known.get(value);
    if (bytes === undefined) {
      bytes = encode(answer);
      known.set(value, bytes);
    }
    return bytes;
  };
}

/** Types of which a field takes few values here: no text of a client's own is ever kept. */
const FEW_VALUES = ['TYPE_BOOL', 'TYPE_ENUM'];

/** The name of a message's field where it has one, of few values. */
function onlyField(descriptor: object): string | undefined {
  const { field } = descriptor as { readonly field: readonly { name: string; type: string }[] };
  const [first] = field;
  return field.length === 1 && first !== undefined && FEW_VALUES.includes(first.type)
    ? first.name
    : undefined;
}

/** proto3 leaves zero values off the wire, which protobufjs does for absent fields only. */
function omitZeroValues(message: object): object {
  return Object.fromEntries(
    Object.entries(message).filter(([, value]) => value !== false && value !== 0 && value !== ''),
  );
}
