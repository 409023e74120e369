import { type Clock, processClock } from '../../../base/clock';
import { isUnknownCommand, toReplyText } from '../redis-errors';
import type { RedisLink } from '../redis-link';
import { toChannel } from '../side-keys';
import {
  beat,
  SILENCE,
  SUBSCRIBED_WITHIN_MS,
  type WakeUpSource,
  type WakeUpsOptions,
} from '../wake-ups';
import type { ClusterConnection } from './cluster-connection';
import type { ClusterNodes } from './cluster-nodes';

/** The channel of one slot. */
interface Channel {
  /** Where it is subscribed to, or is being so. */
  link: RedisLink | undefined;
  /** Resolves when it has been subscribed to for the first time. */
  readonly opened: Promise<void>;
  readonly onOpened: () => void;
  /** Nothing was missed if it is subscribed to by then. */
  readonly openedInTimeMs: number;
  /** True if no lock of the slot was waited for when this was last looked at. */
  isUnused: boolean;
}

/**
 * Wake-ups in a cluster: a channel for each slot with waiters, subscribed at the slot's master over a
 * connection of its own. If a slot moves, its channel is subscribed anew.
 */
export class ClusterWakeUps implements WakeUpSource {
  readonly #connection: ClusterConnection;
  readonly #options: WakeUpsOptions;
  readonly #clock: Clock;
  /** By tag. */
  readonly #channels = new Map<string, Channel>();
  #nodes: ClusterNodes | undefined;
  #subscribing = 0;
  #hasMissed = false;
  #isSilenceSaid = false;

  constructor(connection: ClusterConnection, options: WakeUpsOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#clock = options.clock ?? processClock;
  }

  open(tag: string): Promise<void> {
    const channel = this.#channels.get(tag) ?? this.#add(tag);
    channel.isUnused = false;
    return channel.opened;
  }

  keep(tags: ReadonlySet<string>): void {
    for (const tag of tags) void this.open(tag);
    for (const [tag, channel] of this.#channels) {
      if (tags.has(tag)) this.#follow(tag);
      // Not at once: an ask may have just opened it.
      else if (channel.isUnused) this.#drop(tag, channel);
      else channel.isUnused = true;
    }
  }

  close(): void {
    this.#nodes?.close();
    this.#channels.clear();
  }

  #add(tag: string): Channel {
    let onOpened = (): void => undefined;
    const opened = new Promise<void>((resolve) => {
      onOpened = resolve;
    });
    const openedInTimeMs = this.#clock.now() + SUBSCRIBED_WITHIN_MS;
    const channel = { link: undefined, opened, onOpened, openedInTimeMs, isUnused: false };
    this.#channels.set(tag, channel);
    this.#nodes ??= this.#connection.openOthers((link) => {
      this.#adopt(link);
    });
    this.#follow(tag);
    return channel;
  }

  #adopt(link: RedisLink): void {
    const { settings } = this.#options;
    beat(link, { clock: this.#clock, replyTimeoutMs: settings.readTimeoutMs });
    link.client.on('sharded-channel-moved', (name: string) => {
      for (const [tag, channel] of this.#channels) {
        const isMoved = toChannel(this.#options.sidecarId, tag) === name;
        if (!isMoved || channel.link !== link) continue;
        channel.link = undefined;
        // The old master says where the slot is now.
        this.#follow(tag);
      }
    });
    for (const tag of this.#channels.keys()) this.#follow(tag);
  }

  /** Subscribes where the slot is now, unless that is done. */
  #follow(tag: string): void {
    const channel = this.#channels.get(tag);
    const link = this.#linkFor(tag);
    if (channel === undefined || link === undefined || link === channel.link) return;
    channel.link = link;
    this.#subscribing += 1;
    void this.#subscribe(tag, link).then((isDone) => {
      this.#subscribing -= 1;
      if (isDone) this.#subscribed(channel);
      else if (channel.link === link) this.#retry(tag, channel, link);
    });
  }

  /** Subscribes at once where the failed try has learned that the slot is, else at the next look. */
  #retry(tag: string, channel: Channel, failed: RedisLink): void {
    channel.link = undefined;
    if (this.#linkFor(tag) !== failed) this.#follow(tag);
  }

  #linkFor(tag: string): RedisLink | undefined {
    return this.#nodes?.linkFor(toChannel(this.#options.sidecarId, tag));
  }

  #subscribed({ onOpened, openedInTimeMs }: Channel): void {
    onOpened();
    if (this.#clock.now() >= openedInTimeMs) this.#hasMissed = true;
    if (this.#subscribing > 0 || !this.#hasMissed) return;
    this.#hasMissed = false;
    this.#options.onSubscribed();
  }

  async #subscribe(tag: string, link: RedisLink): Promise<boolean> {
    const { client } = link;
    const { sidecarId, onWoken } = this.#options;
    const channel = toChannel(sidecarId, tag);
    const listener = (attemptId: string): void => {
      if (attemptId !== '') onWoken(attemptId);
    };
    try {
      await client.sSubscribe(channel, listener).catch((error: unknown) => {
        if (!isUnknownCommand(error)) throw error;
        return client.subscribe(channel, listener);
      });
      this.#isSilenceSaid = false;
      return true;
    } catch (error) {
      // Changes the slot map if the slot has moved.
      const { hopeless } = link.explain(error);
      if (hopeless !== undefined) this.#saySilence(toReplyText(error));
      return false;
    }
  }

  #drop(tag: string, { link }: Channel): void {
    this.#channels.delete(tag);
    const channel = toChannel(this.#options.sidecarId, tag);
    if (link?.endReason !== undefined) return;
    link?.client
      .sUnsubscribe(channel)
      .catch(() => link.client.unsubscribe(channel))
      .catch(() => undefined);
  }

  #saySilence(reason: string): void {
    if (this.#isSilenceSaid) return;
    this.#isSilenceSaid = true;
    this.#options.logger.warn(`${SILENCE}: ${reason}`);
  }
}
