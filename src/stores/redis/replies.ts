import { StoreError } from '../../lock/lock-store';

/**
 * Checks a reply of Redis. Throws a {@link StoreError} of kind `protocol` if it is not a reply to
 * the command.
 */
export type ReplyReader<Reply> = (raw: unknown) => Reply;

/**
 * Creates the reader for a script that replies with one of several numbers. Create it once, not per
 * call.
 */
export function oneOf<Reply extends number>(...replies: readonly Reply[]): ReplyReader<Reply> {
  return (raw) => {
    const reply = replies.find((each) => each === raw);
    if (reply === undefined) throw noAnswer(raw);
    return reply;
  };
}

/**
 * Creates the reader for a script that may also reply with a list, which begins with a given
 * number.
 */
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

/** Reads a number. Redis returns large numbers as text. */
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

/** The error of a command whose reply is unexpected. */
export function noAnswer(raw: unknown): StoreError {
  return new StoreError(`Redis gave an unexpected reply to a lock command (${typeof raw})`, {
    kind: 'protocol',
    outcome: 'unknown',
  });
}
