import { StoreError } from '../../lock/lock-store';
import { toReplyText } from './redis-errors';
import type { RedisLink } from './redis-link';
import { toNumber } from './replies';

/** The longest time for which a link is blocked until replicas have acknowledged, in milliseconds. */
const LONGEST_MS = 1000;

/** The counting of replicas of one link. */
interface Counting {
  /** Ends with the last WAIT that was sent. */
  last: Promise<unknown>;
  /** The WAIT that is sent after that, for all who ask until then. */
  next: Promise<number> | undefined;
}

/**
 * Counts the replicas that have acknowledged everything that was written over a link: by WAIT, which
 * counts for the connection it is sent on. One WAIT serves all who ask before it is sent, and there is
 * never more than one at a time. So a link is blocked for {@link ReplicaCounts.withinMs} at most
 * before it runs what was sent meanwhile.
 */
export class ReplicaCounts {
  /** How many replicas are needed. */
  readonly needed: number;
  /** How long one WAIT takes at most, in milliseconds. */
  readonly withinMs: number;
  readonly #links = new WeakMap<RedisLink, Counting>();

  /** @param tryTimeoutMs how long a send may take: one WAIT may be before it, and its own behind it */
  constructor(needed: number, tryTimeoutMs: number) {
    this.needed = needed;
    this.withinMs = Math.max(1, Math.floor(Math.min(LONGEST_MS, tryTimeoutMs / 3)));
  }

  /**
   * Counts the replicas that have all that was written over a link before this call.
   *
   * @throws {StoreError} with an unknown outcome, if that can't be found out
   */
  read(link: RedisLink): Promise<number> {
    const counting = this.#links.get(link) ?? { last: Promise.resolve(), next: undefined };
    this.#links.set(link, counting);
    counting.next ??= counting.last.then(() => {
      counting.next = undefined;
      const waiting = this.#wait(link);
      counting.last = waiting.catch(() => undefined);
      return waiting;
    });
    return counting.next;
  }

  async #wait({ client }: RedisLink): Promise<number> {
    try {
      const reply = client.sendCommand(['WAIT', String(this.needed), String(this.withinMs)]);
      return toNumber(await reply);
    } catch (cause) {
      const message = `it is not known how many replicas have the lease: ${toReplyText(cause)}`;
      throw new StoreError(message, { kind: 'unavailable', outcome: 'unknown', cause });
    }
  }
}
