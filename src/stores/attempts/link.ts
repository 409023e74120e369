import type { StoreError } from '../../lock/lock-store';
import type { CallDeadline } from './call-deadline';
import type { ServerClock } from './server-clock';

/** The meaning of a rejected send. */
export interface SendFailure {
  /** The error in terms of the store contract. */
  readonly error: StoreError;
  /**
   * Why the server will never run the command, in the server's words, without owners or secrets.
   * Undefined if it might.
   */
  readonly hopeless?: string | undefined;
  /**
   * Why this link can't serve the command although the server answers. Another link may be able to.
   */
  readonly useless?: Error | undefined;
}

/**
 * A connection to one server of a store, from its handshake to its end. It never reconnects. How
 * commands are written over it is a matter of the driver: commands know their driver's type of
 * link.
 */
export interface Link {
  /** The server's name in messages for users. */
  readonly serverName: string;
  /** Undefined if the server's time is unknown. Sends can't be limited by it then. */
  readonly clock: ServerClock | undefined;
  /**
   * Identifies the lifetime of the server's data at the time of the handshake. Undefined if it is
   * unknown.
   */
  readonly dataEpoch: string | undefined;
  /** Why the link ended. Undefined while it is open. */
  readonly endReason: Error | undefined;
  /** Reads the current identifier of the data's lifetime. Rejects as a send does. */
  readDataEpoch(): Promise<string | undefined>;
  /** Ends the link at once. Sends in flight are rejected. */
  end(reason: Error): void;
  /** Explains why a send was rejected. */
  explain(error: unknown): SendFailure;
}

/**
 * The links of a store: one for all keys, or one for each server if keys are spread over servers.
 */
export interface Links<L extends Link> {
  /** The servers' name in messages for users. */
  readonly serverName: string;
  /** The open link for a key. Undefined while its server is away. */
  linkFor(key: string): L | undefined;
  /**
   * Waits for the link of a key whose server is away. The driver decides for how long.
   *
   * @throws {StoreError} with outcome `not-applied`; no other error
   */
  reach(key: string, deadline: CallDeadline): Promise<L>;
}
