import { StoreError } from '../../../lock/lock-store';
import type { CallDeadline } from '../../attempts/call-deadline';
import type { Links } from '../../attempts/link';
import type { OneLink } from '../../attempts/one-link';
import type { RedisAddress } from '../redis-address';
import { type RedisLink, SERVER_NAME } from '../redis-link';
import type { SlotMap } from './slot-map';
import { slotOf } from './slots';

/** The dependencies of {@link ClusterNodes}. */
export interface ClusterNodesOptions {
  readonly map: SlotMap;
  /** Creates the link to a master, which is not open yet. */
  readonly toNode: (address: RedisAddress) => OneLink<RedisLink>;
  /** Called if a slot has no link. The map may be out of date. */
  readonly onAway: () => void;
}

/** One link to each master of a cluster, found by the slot of a key. */
export class ClusterNodes implements Links<RedisLink> {
  readonly serverName = SERVER_NAME;
  readonly #options: ClusterNodesOptions;
  readonly #nodes = new Map<string, OneLink<RedisLink>>();
  #isClosed = false;

  constructor(options: ClusterNodesOptions) {
    this.#options = options;
  }

  linkFor(key: string): RedisLink | undefined {
    return this.#nodeOf(slotOf(key))?.linkFor();
  }

  /** Waits like {@link OneLink.reach}, and for the link of another master if the slot moves there. */
  async reach(key: string, deadline: CallDeadline): Promise<RedisLink> {
    const slot = slotOf(key);
    for (;;) {
      const node = this.#nodeOf(slot);
      if (node === undefined) throw this.#unserved(slot);
      try {
        return await node.reach(key, deadline);
      } catch (error) {
        this.#options.onAway();
        const hasMoved = this.#nodeOf(slot) !== node;
        if (this.#isClosed || !hasMoved || deadline.clock.now() >= deadline.endsAtMs) throw error;
      }
    }
  }

  /** @throws {StoreError} of kind `closed` after {@link ClusterNodes.close} */
  assertOpen(): void {
    if (!this.#isClosed) return;
    throw new StoreError('the store is closed', { kind: 'closed', outcome: 'not-applied' });
  }

  /** Follows the map from now on. */
  start(): void {
    this.follow();
  }

  /** Opens links to new masters, and ends those to nodes that are no longer masters. */
  follow(): void {
    if (this.#isClosed) return;
    const { masters } = this.#options.map;
    for (const [text, address] of masters) {
      if (this.#nodes.has(text)) continue;
      const node = this.#options.toNode(address);
      this.#nodes.set(text, node);
      node.start();
    }
    for (const [text, node] of this.#nodes) {
      if (masters.has(text)) continue;
      this.#nodes.delete(text);
      node.close(new Error('it serves no slot of the cluster any more'));
    }
  }

  /** The open link to a master. */
  linkTo(addressText: string): RedisLink | undefined {
    return this.#nodes.get(addressText)?.linkFor();
  }

  /** The open links, sorted by address. */
  get open(): readonly RedisLink[] {
    const texts = [...this.#nodes.keys()].sort();
    return texts.flatMap((text) => this.linkTo(text) ?? []);
  }

  /** The addresses of the masters. */
  get addresses(): Iterable<string> {
    return this.#nodes.keys();
  }

  /** The addresses of the masters without an open link. */
  get away(): readonly string[] {
    return [...this.#nodes.keys()].filter((text) => this.linkTo(text) === undefined);
  }

  /** Ends all links for good. */
  close(): void {
    this.#isClosed = true;
    for (const node of this.#nodes.values()) node.close();
  }

  #nodeOf(slot: number): OneLink<RedisLink> | undefined {
    const master = this.#options.map.masterOf(slot);
    return master === undefined ? undefined : this.#nodes.get(master);
  }

  #unserved(slot: number): StoreError {
    this.assertOpen();
    this.#options.onAway();
    const message = `no master of the Redis cluster serves slot ${slot}`;
    return new StoreError(message, { kind: 'unavailable', outcome: 'not-applied' });
  }
}
