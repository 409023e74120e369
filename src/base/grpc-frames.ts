/**
 * Length of the prefix of each message: one byte for the flag, four for the length (gRPC over
 * HTTP/2, Length-Prefixed-Message).
 */
export const PREFIX_BYTES = 5;

/** A message as it is sent: uncompressed, after its prefix. */
export function toFrame(message: Buffer): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** The complete, uncompressed messages at the beginning of a body. */
export function toMessages(body: Buffer): readonly Buffer[] {
  const messages: Buffer[] = [];
  let at = 0;
  while (at + PREFIX_BYTES <= body.length) {
    const end = at + PREFIX_BYTES + body.readUInt32BE(at + 1);
    if (body[at] !== 0 || end > body.length) break;
    messages.push(body.subarray(at + PREFIX_BYTES, end));
    at = end;
  }
  return messages;
}
