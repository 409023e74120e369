import { StoreError } from '../../lock/lock-store';
import { toReplyText } from './redis-errors';
import type { RedisLink } from './redis-link';
import { noAnswer, toNumber } from './replies';

/**
 * The longest time for which a link is blocked until replicas have acknowledged, in milliseconds: what they have in memory
 * is known after a round trip, and what they have on disk only once a second.
 */
const LONGEST_MS = { inMemory: 1000, onDisk: 3000 } as const;

/** Which servers have everything that was written over a link. */
export interface Acknowledgement {
  readonly replicas: number;
  /** False if the master itself was to have it on disk, and has not. */
  readonly isOnMaster: boolean;
}

/** What is to be counted. */
export interface ReplicaCountsOptions {
  /** How many replicas are needed. */
  readonly needed: number;
  /** True if they and the master must have it on disk. */
  readonly onDisk: boolean;
  /** How long a send may take, in milliseconds: one WAIT may be before it, and its own behind it. */
  readonly tryTimeoutMs: number;
}

/** The counting of replicas of one link. */
interface Counting {
  /** Ends with the last WAIT that was sent. */
  last: Promise<unknown>;
  /** The WAIT that is sent after that, for all who ask until then. */
  next: Promise<Acknowledgement> | undefined;
}

/**
 * Counts the replicas that have acknowledged everything that was written over a link: by WAIT or WAITAOF, which
 * count for the connection it is sent on. One WAIT serves all who ask before it is sent, and there is
 * never more than one at a time. So a link is blocked for {@link ReplicaCounts.withinMs} at most
 * before it runs what was sent meanwhile.
 */
export class ReplicaCounts {
  readonly #needed: number;
  readonly #onDisk: boolean;
  /** How long one WAIT takes at most, in milliseconds. */
  readonly withinMs: number;
  readonly #links = new WeakMap<RedisLink, Counting>();

  constructor({ needed, onDisk, tryTimeoutMs }: ReplicaCountsOptions) {
    this.#needed = needed;
    this.#onDisk = onDisk;
    const longestMs = onDisk ? LONGEST_MS.onDisk : LONGEST_MS.inMemory;
    this.withinMs = Math.max(1, Math.floor(Math.min(longestMs, tryTimeoutMs / 3)));
  }

  /** The failure of a grant that too few servers have. Undefined if enough have it. */
  lack({ replicas, isOnMaster }: Acknowledgement): StoreError | undefined {
    const where = this.#onDisk ? ' on disk' : '';
    if (!isOnMaster) {
      return lacking(`the master did not have the lease${where} within ${this.withinMs} ms`);
    }
    if (replicas >= this.#needed) return undefined;
    const count = `only ${replicas} of ${this.#needed} replicas`;
    return lacking(`${count} acknowledged the lease${where} within ${this.withinMs} ms`);
  }

  /**
   * Counts the replicas that have all that was written over a link before this call.
   *
   * @throws {StoreError} with an unknown outcome, if that can't be found out
   */
  read(link: RedisLink): Promise<Acknowledgement> {
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

  async #wait({ client }: RedisLink): Promise<Acknowledgement> {
    const terms = [String(this.#needed), String(this.withinMs)];
    try {
      if (this.#onDisk) return toCounts(await client.sendCommand(['WAITAOF', '1', ...terms]));
      const replicas = toNumber(await client.sendCommand(['WAIT', ...terms]));
      return { replicas, isOnMaster: true };
    } catch (cause) {
      const message = `it is not known how many replicas have the lease: ${toReplyText(cause)}`;
      throw new StoreError(message, { kind: 'unavailable', outcome: 'unknown', cause });
    }
  }
}

/** Reads the reply to WAITAOF: how many of the masters, which is one, and how many replicas. */
function toCounts(reply: unknown): Acknowledgement {
  if (!Array.isArray(reply)) throw noAnswer(reply);
  const [masters, replicas] = reply as unknown[];
  return { replicas: toNumber(replicas), isOnMaster: toNumber(masters) > 0 };
}

function lacking(what: string): StoreError {
  const reason = 'too few replicas have acknowledged the lease';
  const message = `${what}, the outcome is unknown`;
  return new StoreError(message, { kind: 'unavailable', outcome: 'unknown', reason });
}
