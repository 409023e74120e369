import type { RawAnswer } from './answers';
import type { RawCall } from './calls';

/** A message's flag and length. */
const PREFIX_BYTES = 5;

/** The flag of a compressed message. */
const COMPRESSED = 1;

/**
 * True for the one kind of call whose answers may differ: one of reflection with several messages, of
 * which a later one is wrong. grpc-js fails such a call as soon as it has decoded that message. Of the
 * answers to those before it, it drops what its stream has not come to, which depends on how they
 * arrive; so there have to be three messages, or two of which the first is compressed: a long one is
 * unpacked in another thread, and the second is decoded meanwhile. The own transport answers all of
 * them in turn. So both have to fail, and one of them has answered the first of what the other one has.
 */
export function mayDiffer(call: RawCall, theirs: RawAnswer, ours: RawAnswer): boolean {
  const messages = countMessages(call);
  const isRace = messages > 2 || (messages === 2 && call.pieces[0]?.[0] === COMPRESSED);
  const isOfKind = call.path.endsWith('/ServerReflectionInfo') && isRace;
  const [shorter = '', longer = ''] = [theirs.content, ours.content].sort(byLength);
  return isOfKind && hasFailed(theirs) && hasFailed(ours) && longer.startsWith(shorter);
}

function countMessages({ pieces }: RawCall): number {
  const content = Buffer.concat(pieces);
  let count = 0;
  for (let at = 0; at + PREFIX_BYTES <= content.length; count += 1) {
    at += PREFIX_BYTES + content.readUInt32BE(at + 1);
  }
  return count;
}

function hasFailed({ head, trailers, code }: RawAnswer): boolean {
  const status = trailers['grpc-status'] ?? head['grpc-status'];
  return code === 0 && status !== undefined && status !== '0';
}

function byLength(one: string, other: string): number {
  return one.length - other.length;
}
