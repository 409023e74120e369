import { StoreError } from '../../lock/lock-store';

/** Checks what Redis has said; throws a {@link StoreError} of kind `protocol` where it is no reply to the command. */
export type ReplyReader<Reply> = (raw: unknown) => Reply;

/** Makes the reader of a script that answers one of some numbers; made once and not a call. */
export function oneOf<Reply extends number>(...replies: readonly Reply[]): ReplyReader<Reply> {
  return (raw) => {
    const reply = replies.find((each) => each === raw);
    if (reply === undefined) throw noAnswer(raw);
    return reply;
  };
}

/** Makes the reader of a script that may also answer a list that begins with a number of its own. */
export function listOr<List, Reply extends number>(
  list: { readonly head: number; readonly read: (fields: readonly unknown[]) => List },
  ...replies: readonly Reply[]
): ReplyReader<List | Reply> {
  const readNumber = oneOf(...replies);
  return (raw) => {
    if (!Array.isArray(raw)) return readNumber(raw);
    const [head, ...fields] = raw as unknown[];
    if (head !== list.head) throw noAnswer(raw);
    return list.read(fields);
  };
}

/** Reads a number, which Redis gives as text where it may be large. */
export function toNumber(raw: unknown): number {
  const number = typeof raw === 'string' && raw !== '' ? Number(raw) : raw;
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) throw noAnswer(raw);
  return number;
}

/** Reads text. */
export function toText(raw: unknown): string {
  if (typeof raw !== 'string') throw noAnswer(raw);
  return raw;
}

/** What a command fails with whose reply is none of its own. */
export function noAnswer(raw: unknown): StoreError {
  return new StoreError(`Redis gave an unexpected reply to a lock command (${typeof raw})`, {
    kind: 'protocol',
    outcome: 'unknown',
  });
}
