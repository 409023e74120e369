import { StoreError } from '../../lock/lock-store';

/** The `reason` of {@link movedAway} and {@link onTheMove}. */
const [MOVED, MOVING] = [
  'the key is on another server',
  'the key is being moved to another server',
] as const;

/**
 * The server has not run the command, because another server has the key now. To be returned by
 * {@link Link.explain} once `linkFor` knows where the key is: the command is sent there at once.
 */
export function movedAway(message: string, cause: unknown): StoreError {
  const options = { kind: 'unavailable', outcome: 'not-applied', cause, reason: MOVED } as const;
  return new StoreError(message, options);
}

/**
 * The server has not run the command, because the key is just being moved. The command is sent
 * again, after pauses, while the call has time.
 */
export function onTheMove(message: string, cause: unknown): StoreError {
  const options = { kind: 'unavailable', outcome: 'not-applied', cause, reason: MOVING } as const;
  return new StoreError(message, options);
}

/** True for an error of {@link movedAway}. */
export function isMovedAway({ reason }: StoreError): boolean {
  return reason === MOVED;
}

/** True if a command was not run only because its key has changed servers, or is about to. */
export function isElsewhere({ reason }: StoreError): boolean {
  return reason === MOVED || reason === MOVING;
}
