import type { Logger } from '../../../base/logger';
import { pauseWithin, runWithin } from '../../../base/race';
import { StoreError } from '../../../lock/lock-store';
import { silentStoreObserver } from '../../../lock/store-observer';
import type { CallDeadline } from '../../attempts/call-deadline';
import { dialHedged } from '../../attempts/hedged-dial';
import type { SendFailure } from '../../attempts/link';
import { OneLink } from '../../attempts/one-link';
import { type RedisAddress, toAddressText } from '../redis-address';
import { isFinal } from '../redis-errors';
import { openLink, type RedisLink, SERVER_NAME } from '../redis-link';
import type { RedisConnection, RedisPartsOptions } from '../redis-parts';
import { toDebug } from '../wake-ups';
import { ClusterNodes } from './cluster-nodes';
import { explainRedirect, isUnserved, toMove } from './redirects';
import { SlotMap } from './slot-map';
import { SLOTS } from './slots';
import { TopologyWatch, withoutTime } from './topology-watch';

/** Pause before the start looks again whether the cluster is complete, in milliseconds. */
const START_PAUSE_MS = 25;

/**
 * The connection of a store to a Redis Cluster: links to all masters, and the slot map. A reply that
 * a slot has moved changes the map before the attempts look for the link again.
 */
export class ClusterConnection implements RedisConnection {
  readonly serverName = SERVER_NAME;
  readonly #options: RedisPartsOptions;
  readonly #map = new SlotMap();
  readonly #nodes: ClusterNodes;
  readonly #watch: TopologyWatch;
  /** Links to the same masters for other purposes. */
  readonly #others = new Set<ClusterNodes>();
  #wasComplete: boolean | undefined;

  constructor(options: RedisPartsOptions) {
    this.#options = options;
    const { settings, logger } = options;
    this.#nodes = this.#createNodes(logger, (link) => {
      options.onLink(link);
      this.#observe();
    });
    this.#watch = new TopologyWatch({
      ...{ settings, logger, map: this.#map },
      links: () => this.#nodes.open,
      isComplete: () => this.#isComplete,
      onRead: (gained) => {
        this.#changed(gained);
      },
    });
  }

  linkFor(key: string): RedisLink | undefined {
    return this.#nodes.linkFor(key);
  }

  reach(key: string, deadline: CallDeadline): Promise<RedisLink> {
    return this.#nodes.reach(key, deadline);
  }

  /** Waits until every slot has a link. A cluster that serves only some slots is not ready. */
  async open(signal: AbortSignal): Promise<void> {
    let failure: Error | undefined;
    while (!this.#isComplete) {
      if (this.#map.covered === 0) failure = await this.#readMap(signal);
      await pauseWithin({ afterMs: START_PAUSE_MS, signals: [signal] });
      if (signal.aborted) throw failure ?? this.#incomplete();
    }
  }

  /** Reads the map for the first time. A failure that may pass is returned. */
  async #readMap(signal: AbortSignal): Promise<Error | undefined> {
    try {
      await this.#watch.open(signal);
      return undefined;
    } catch (error) {
      if (isFinal(error) || !(error instanceof Error)) throw error;
      return error;
    }
  }

  /**
   * The open links to all masters, sorted by address.
   *
   * @throws {StoreError} if one is away
   */
  allLinks(): readonly RedisLink[] {
    this.#nodes.assertOpen();
    if (!this.#isComplete) throw this.#incomplete();
    return this.#nodes.open;
  }

  /** Opens further links to all masters, which follow the topology. Close them when not needed. */
  openOthers(onLink: (link: RedisLink) => void): ClusterNodes {
    const nodes = this.#createNodes(toDebug(this.#options.logger), onLink);
    this.#others.add(nodes);
    nodes.follow();
    return nodes;
  }

  close(): void {
    this.#watch.close();
    for (const nodes of [this.#nodes, ...this.#others]) nodes.close();
    this.#options.observer.closed();
  }

  get #isComplete(): boolean {
    return this.#map.covered === SLOTS && this.#nodes.away.length === 0;
  }

  #incomplete(): StoreError {
    const { covered } = this.#map;
    const away = this.#nodes.away.join(', ');
    const what =
      covered < SLOTS ? `only ${covered} of ${SLOTS} slots are served` : `${away} is away`;
    const message = `the Redis cluster is not complete: ${what}`;
    return new StoreError(message, { kind: 'unavailable', outcome: 'not-applied' });
  }

  /** Links to masters that have got slots are given the pending withdrawals before any call. */
  #changed(gained: ReadonlySet<string>): void {
    const before = [...this.#nodes.addresses].join(', ');
    for (const nodes of [this.#nodes, ...this.#others]) nodes.follow();
    for (const text of gained) {
      const link = this.#nodes.linkTo(text);
      if (link !== undefined) this.#options.onLink(link);
    }
    const after = [...this.#nodes.addresses].join(', ');
    if (before !== '' && before !== after) {
      this.#options.logger.info(`The masters of the Redis cluster are now ${after}`);
    }
    this.#observe();
  }

  #observe(): void {
    const isComplete = this.#isComplete;
    if (isComplete === this.#wasComplete) return;
    if (isComplete && this.#wasComplete === false) this.#options.observer.reconnected();
    if (isComplete || this.#wasComplete === true) this.#wasComplete = isComplete;
    this.#options.observer.up(isComplete);
  }

  #move(slot: number, master: RedisAddress): void {
    if (this.#map.masterOf(slot) === toAddressText(master)) return;
    this.#changed(new Set([this.#map.move(slot, master)]));
  }

  #createNodes(logger: Logger, onLink: (link: RedisLink) => void): ClusterNodes {
    return new ClusterNodes({
      map: this.#map,
      toNode: (address) => this.#createNode(address, logger, onLink),
      onAway: () => {
        this.#watch.hurry();
      },
    });
  }

  #createNode(
    address: RedisAddress,
    logger: Logger,
    onLink: (link: RedisLink) => void,
  ): OneLink<RedisLink> {
    const name = `Redis node ${toAddressText(address)}`;
    return new OneLink<RedisLink>({
      ...{ serverName: name, place: name, logger, isFinal },
      // The state of one node is not that of the store.
      observer: {
        ...silentStoreObserver,
        up: () => {
          this.#upOrDown();
        },
      },
      dial: (signals) => dialHedged((settled) => this.#dial(address, [...signals, settled])),
      onLink,
    });
  }

  #upOrDown(): void {
    if (!this.#isComplete) this.#watch.hurry();
    this.#observe();
  }

  #dial(address: RedisAddress, signals: readonly AbortSignal[]): Promise<RedisLink> {
    const { settings } = this.#options;
    return runWithin({ afterMs: settings.dialTimeoutMs, signals }, async (signal) => {
      const link = await openLink(settings, address, signal);
      if (link.clock !== undefined) return this.#withRedirects(link);
      link.end(withoutTime());
      throw withoutTime();
    });
  }

  #withRedirects(link: RedisLink): RedisLink {
    const explain = (error: unknown): SendFailure => this.#explain(link, error);
    return Object.create(link, { explain: { value: explain } }) as RedisLink;
  }

  #explain(link: RedisLink, error: unknown): SendFailure {
    const move = toMove(error, link.address);
    if (move !== undefined || isUnserved(error)) this.#watch.hurry();
    if (move?.master !== undefined) this.#move(move.slot, move.master);
    return explainRedirect(error, move) ?? link.explain(error);
  }
}
