import type { StoreError } from '../../lock/lock-store';
import type { CallDeadline } from './call-deadline';
import type { ServerClock } from './server-clock';

/** What a rejected send means. */
export interface SendFailure {
  /** To the store contract. */
  readonly error: StoreError;
  /** Why the server will never run it, in the server's words and without owners or secrets. */
  readonly hopeless?: string | undefined;
  /** Why this link is of no use for it though the server answers, and another one may be. */
  readonly useless?: Error | undefined;
}

/**
 * A way to one server of a store, from its handshake to its end; it never reconnects. What is written
 * over it is a matter of the driver: commands know their driver's kind of link.
 */
export interface Link {
  /** What the server is called in texts for users. */
  readonly serverName: string;
  /** Undefined where the server's time isn't known: then no send can be bounded by it. */
  readonly clock: ServerClock | undefined;
  /** Names the life of the server's data as of the handshake; undefined where that isn't known. */
  readonly dataEpoch: string | undefined;
  /** The reason of its end, undefined while it stands. */
  readonly endReason: Error | undefined;
  /** Reads the name of the life of the data again; rejects as a send does. */
  readDataEpoch(): Promise<string | undefined>;
  /** Ends it at once; sends in flight are rejected. */
  end(reason: Error): void;
  /** Says what it means that a send was rejected. */
  explain(error: unknown): SendFailure;
}

/** The links of a store: one for all keys, or as many as there are servers that share them. */
export interface Links<L extends Link> {
  /** What the servers are called in texts for users. */
  readonly serverName: string;
  /** The link that stands now for a key, undefined while its server is away. */
  linkFor(key: string): L | undefined;
  /**
   * Waits for the link of a key whose server is away, as long as the driver thinks right.
   *
   * @throws {StoreError} with outcome `not-applied`, and nothing else
   */
  reach(key: string, deadline: CallDeadline): Promise<L>;
}
