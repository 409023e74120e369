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

/** What a command fails with whose reply is none of its own. */
export function noAnswer(raw: unknown): StoreError {
  return new StoreError(`Redis gave an unexpected reply to a lock command (${typeof raw})`, {
    kind: 'protocol',
    outcome: 'unknown',
  });
}
