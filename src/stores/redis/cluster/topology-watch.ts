import { type Clock, processClock, type Timer } from '../../../base/clock';
import { toErrorMessage } from '../../../base/error-message';
import type { Logger } from '../../../base/logger';
import { runWithin } from '../../../base/race';
import { Trouble } from '../../../base/trouble';
import { StoreError } from '../../../lock/lock-store';
import { type RedisAddress, toAddressText } from '../redis-address';
import { openLink, type RedisLink } from '../redis-link';
import type { RedisSettings } from '../redis-settings';
import type { SlotMap } from './slot-map';
import { askForTopology, bestOf, type Topology } from './topology';

/**
 * When the topology is read again, in milliseconds: after a sign that it has changed, while something
 * is away, and otherwise.
 */
const AGAIN_MS = { hurried: 100, away: 250, settled: 5000 } as const;

/** How often the configured nodes are asked at most if no master answers, in milliseconds. */
const DIAL_EVERY_MS = 1000;

/** How long a node may take to answer, in milliseconds. */
const ANSWER_MS = 1000;

/** How many masters are asked at a time. */
const MOST_ASKED = 3;

/** The dependencies of {@link TopologyWatch}. */
export interface TopologyWatchOptions {
  readonly settings: RedisSettings;
  readonly logger: Logger;
  readonly map: SlotMap;
  /** The open links to masters. */
  readonly links: () => readonly RedisLink[];
  /** False if a slot has no open link. */
  readonly isComplete: () => boolean;
  /** Called when the map was read, with the masters that have got slots. */
  readonly onRead: (gained: ReadonlySet<string>) => void;
}

/** Keeps the slot map of a cluster up to date. Reads it from masters, or else from the configured nodes. */
export class TopologyWatch {
  readonly #options: TopologyWatchOptions;
  readonly #clock: Clock = processClock;
  readonly #closing = new AbortController();
  readonly #trouble: Trouble;
  #timer: Timer | undefined;
  #isReading = false;
  #isHurried = false;
  #readAtMs = -Infinity;
  #dialledAtMs = -Infinity;
  #turn = 0;

  constructor(options: TopologyWatchOptions) {
    this.#options = options;
    this.#trouble = new Trouble({
      clock: this.#clock,
      onFailing: ({ reason }) => {
        options.logger.warn(`The topology of the Redis cluster can't be read: ${reason}`);
      },
    });
  }

  /** Reads the topology for the first time. Rejects if nobody tells it, or a node refuses us. */
  async open(signal: AbortSignal): Promise<void> {
    try {
      await this.#read([signal]);
    } finally {
      this.#plan();
    }
  }

  /** Reads the topology soon, because there is a sign that it has changed. */
  hurry(): void {
    if (this.#isHurried) return;
    this.#isHurried = true;
    if (!this.#isReading) this.#plan();
  }

  /** Stops. */
  close(): void {
    this.#closing.abort();
    this.#timer?.close();
    this.#trouble.drop();
  }

  #plan(): void {
    if (this.#closing.signal.aborted) return;
    const pace = this.#isHurried ? 'hurried' : this.#options.isComplete() ? 'settled' : 'away';
    this.#timer?.close();
    const delayMs = this.#readAtMs + AGAIN_MS[pace] - this.#clock.now();
    this.#timer = this.#clock.after(Math.max(0, delayMs), () => void this.#readAgain());
    this.#timer.unref();
  }

  async #readAgain(): Promise<void> {
    this.#isReading = true;
    this.#isHurried = false;
    try {
      await this.#read([]);
      this.#trouble.succeeded();
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#trouble.failed(toErrorMessage(error));
    }
    this.#isReading = false;
    this.#plan();
  }

  async #read(callers: readonly AbortSignal[]): Promise<void> {
    // Also if it fails, so that there is a pause before it is tried again.
    this.#readAtMs = this.#clock.now();
    const signals = [this.#closing.signal, ...callers];
    const { map, onRead } = this.#options;
    const told = bestOf(await this.#askMasters(signals));
    const topology = told?.isServed === true ? told : await this.#askConfigured(signals, told);
    if (topology === undefined) return;
    if (this.#closing.signal.aborted || topology.ranges.length === 0) return;
    // What a node that is cut off tells is better than nothing, and no better than what is known.
    if (topology.isServed || map.covered === 0) onRead(map.replace(topology.ranges));
  }

  /** Asks some of the masters, other ones every time. */
  async #askMasters(signals: readonly AbortSignal[]): Promise<readonly Topology[]> {
    const links = this.#options.links();
    this.#turn += 1;
    const asked = links.map((_, index) => links[(index + this.#turn) % links.length] ?? []).flat();
    const answers = asked
      .slice(0, MOST_ASKED)
      .map((link) => runWithin({ afterMs: ANSWER_MS, signals }, (over) => this.#ask(link, over)));
    return toFulfilled(await Promise.allSettled(answers));
  }

  async #askConfigured(
    signals: readonly AbortSignal[],
    told: Topology | undefined,
  ): Promise<Topology | undefined> {
    const { settings, map } = this.#options;
    const isEarly = this.#clock.now() < this.#dialledAtMs + DIAL_EVERY_MS;
    if (isEarly && map.covered > 0) return told;
    this.#dialledAtMs = this.#clock.now();
    const configured = settings.addresses.map(
      (address) => [toAddressText(address), address] as const,
    );
    const addresses = [...new Map([...configured, ...map.masters]).values()];
    const ends = await Promise.allSettled(addresses.map((address) => this.#dial(address, signals)));
    const best = bestOf([told ?? [], toFulfilled(ends)].flat());
    if (best !== undefined) return best;
    const reasons = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as Error] : []));
    const message = [...new Set(reasons.map(toErrorMessage))].join('; ');
    throw new AggregateError(reasons, `no node of the Redis cluster answers: ${message}`);
  }

  #ask(link: RedisLink, signal: AbortSignal): Promise<Topology> {
    return askForTopology(link, signal, this.#options.settings.readTimeoutMs);
  }

  /** Asks one node over a connection of its own. */
  async #dial(address: RedisAddress, signals: readonly AbortSignal[]): Promise<Topology> {
    const { settings } = this.#options;
    return runWithin({ afterMs: settings.dialTimeoutMs, signals }, async (over) => {
      const link = await openLink(settings, address, over);
      try {
        if (link.clock === undefined) throw withoutTime();
        return await this.#ask(link, over);
      } finally {
        link.end(new Error('it has answered'));
      }
    });
  }
}

function toFulfilled<T>(ends: readonly PromiseSettledResult<T>[]): readonly T[] {
  return ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
}

/** In a cluster every send must be limited by the server's time: its key may move meanwhile. */
export function withoutTime(): StoreError {
  const message = 'redisType cluster needs the command TIME, which this Redis user may not run';
  return new StoreError(message, { kind: 'rejected', outcome: 'not-applied' });
}
