import { setTimeout as pause } from 'node:timers/promises';

import { createClient } from 'redis';

import { toErrorMessage } from '../../base/error-message';
import type { Logger } from '../../base/logger';
import { race, whenOver } from '../../base/race';
import { type RedisAddress, toAddressText } from './redis-address';
import { signIn } from './redis-auth';
import { throwUnanswered, toConnectOptions, withAddress } from './redis-link';
import type { RedisSettings, SentinelSettings } from './redis-settings';
import { boundReplies } from './reply-bound';

type SentinelClient = ReturnType<typeof createClient>;

/** Pause before Sentinels are subscribed to again, in milliseconds. */
const PAUSE_MS = 250;

/** How long an announced master takes precedence over what Sentinels answer, in milliseconds. */
const ANNOUNCED_FOR_MS = 10_000;

/**
 * Asks Redis Sentinels for the master, and subscribes to changes of it.
 *
 * node-redis has its own Sentinel client, but that sends a command again when the master goes away.
 * Lock commands must never be repeated that way: the same bytes sent twice are a second attempt
 * that no server can distinguish from the first. So this class only asks, with node-redis's plain
 * clients.
 */
export class Sentinels {
  readonly #settings: RedisSettings;
  readonly #sentinel: SentinelSettings;
  readonly #logger: Logger;
  #isPasswordUnused = false;
  /** The configured Sentinels first, then those that they have named. */
  readonly #addresses: RedisAddress[];
  /**
   * The master that was announced last. Sentinels that have not learned of it yet still name the
   * previous one.
   */
  #announced: { readonly address: RedisAddress; readonly untilMs: number } | undefined;

  constructor(options: {
    readonly settings: RedisSettings;
    readonly sentinel: SentinelSettings;
    readonly logger: Logger;
  }) {
    this.#settings = options.settings;
    this.#sentinel = options.sentinel;
    this.#logger = options.logger;
    this.#addresses = [...options.settings.addresses];
  }

  /**
   * Finds the master. All Sentinels are asked at once, because some may be away; the first answer
   * counts.
   *
   * @throws {Error} if no Sentinel names a master
   */
  async findMaster(signal: AbortSignal): Promise<RedisAddress> {
    const announced = this.#announced;
    this.#announced = undefined;
    if (announced !== undefined && performance.now() < announced.untilMs) return announced.address;
    const { shownMasterName } = this.#sentinel;
    const asked = new AbortController();
    const release = whenOver({ signals: [signal] }, () => {
      asked.abort();
    });
    try {
      return await Promise.any(
        this.#addresses.map((address) =>
          this.#ask(address, asked.signal, (client) => this.#readMaster(client)),
        ),
      );
    } catch (error) {
      const reasons = error instanceof AggregateError ? error.errors.map(toErrorMessage) : [];
      throw new Error(
        `no Sentinel knows a master "${shownMasterName}": ${[...new Set(reasons)].join('; ')}`,
        { cause: error },
      );
    } finally {
      asked.abort();
      release();
    }
  }

  /**
   * Reports every master that Sentinels announce, until the signal aborts. It listens to all
   * Sentinels: the one that leads a failover knows of it first, and until then locks go to a master
   * whose data will be lost.
   */
  async watch(onMaster: (master: RedisAddress) => void, signal: AbortSignal): Promise<void> {
    const announce = (address: RedisAddress): void => {
      this.#announced = { address, untilMs: performance.now() + ANNOUNCED_FOR_MS };
      onMaster(address);
    };
    const listen = async (sentinel: RedisAddress): Promise<void> => {
      while (!signal.aborted) {
        await this.#ask(sentinel, signal, (client) => this.#listen(client, announce)).catch(
          (error: unknown) => {
            this.#logger.debug(
              `Can't subscribe to Sentinel ${toAddressText(sentinel)}: ${toErrorMessage(error)}`,
            );
          },
        );
        await pause(PAUSE_MS, undefined, { signal }).catch(() => undefined);
      }
    };
    await Promise.all(this.#addresses.map(listen));
  }

  /** Runs a request over a connection to one Sentinel. */
  async #ask<T>(
    address: RedisAddress,
    signal: AbortSignal,
    run: (client: SentinelClient) => Promise<T>,
  ): Promise<T> {
    const client: SentinelClient = createClient(toConnectOptions(address, this.#settings.tls));
    const broken = new Promise<never>((_resolve, reject) => {
      client.on('error', reject);
      boundReplies(client, reject);
      client.on('end', () => {
        reject(new Error(`the connection to Sentinel ${toAddressText(address)} was closed`));
      });
    });
    broken.catch(() => undefined);
    const asked = this.#signIn(client, address).then(() => run(client));
    asked.catch(() => undefined);
    try {
      return await race(Promise.race([asked, broken]), { signals: [signal] }, throwUnanswered);
    } catch (error) {
      throw withAddress(error, address);
    } finally {
      client.destroy();
    }
  }

  async #signIn(client: SentinelClient, address: RedisAddress): Promise<void> {
    await client.connect();
    if (await signIn(client, this.#sentinel)) return;
    if (this.#isPasswordUnused) return;
    this.#isPasswordUnused = true;
    this.#logger.warn(
      `Sentinel ${toAddressText(address)} needs no password; sentinelPassword is not used`,
    );
  }

  async #readMaster(client: SentinelClient): Promise<RedisAddress> {
    const { masterName } = this.#sentinel;
    const master = await client.sendCommand(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', masterName]);
    const address = toAddress(master);
    if (address === undefined) throw new Error(`the Sentinel knows no master of this name`);
    await this.#learnOthers(client);
    return address;
  }

  /**
   * Adds Sentinels that were not configured, because all configured ones may be replaced some day.
   */
  async #learnOthers(client: SentinelClient): Promise<void> {
    const command = ['SENTINEL', 'SENTINELS', this.#sentinel.masterName];
    const others = await client.sendCommand(command).catch(() => []);
    for (const fields of Array.isArray(others) ? others : []) {
      const address = toAddress(valuesOf(fields, ['ip', 'port']));
      if (address !== undefined && !this.#addresses.some((known) => isSame(known, address))) {
        this.#addresses.push(address);
      }
    }
  }

  /** Listens for masters until the connection ends. */
  async #listen(client: SentinelClient, onMaster: (master: RedisAddress) => void): Promise<never> {
    const { masterName } = this.#sentinel;
    // `+switch-master` is published only after the other replicas have followed as well.
    await client.subscribe(['+promoted-slave', '+switch-master'], (message, channel) => {
      const words = message.split(' ');
      const isPromotion = channel === '+promoted-slave';
      const name = isPromotion ? words[5] : words[0];
      const address = toAddress(isPromotion ? words.slice(2, 4) : words.slice(3, 5));
      if (name === masterName && address !== undefined) onMaster(address);
    });
    return new Promise<never>(() => undefined);
  }
}

/** True if both addresses are equal. */
export function isSame(one: RedisAddress, other: RedisAddress): boolean {
  return one.host === other.host && one.port === other.port;
}

function toAddress(reply: unknown): RedisAddress | undefined {
  if (!Array.isArray(reply)) return undefined;
  const [host, port] = reply.map(String);
  const number = Number(port);
  return host === undefined || !(number >= 1 && number <= 65_535)
    ? undefined
    : { host, port: number };
}

/** Reads fields from a reply that lists names and values alternately. */
function valuesOf(fields: unknown, names: readonly string[]): readonly unknown[] {
  if (!Array.isArray(fields)) return [];
  return names.map((name) => fields[fields.indexOf(name) + 1] as unknown);
}
