import { setTimeout as pause } from 'node:timers/promises';

import { createClient } from 'redis';

import { toErrorMessage } from '../../base/error-message';
import type { Logger } from '../../base/logger';
import { type RedisAddress, toAddressText } from './redis-address';
import { signIn } from './redis-auth';
import { rejectWhenAborted, toConnectOptions, withAddress } from './redis-link';
import type { RedisSettings, SentinelSettings } from './redis-settings';
import { boundReplies } from './reply-bound';

type SentinelClient = ReturnType<typeof createClient>;

/** Before Sentinels are asked for their news again, in milliseconds. */
const PAUSE_MS = 250;

/** How long the announcement of a master counts more than what Sentinels answer, in milliseconds. */
const ANNOUNCED_FOR_MS = 10_000;

/**
 * Asks Redis Sentinels who the master is, and hears from them when that changes.
 *
 * node-redis has a Sentinel client of its own. It sends a command again by itself when the master
 * goes away, which a lock command must never be: the same bytes twice are a second attempt that
 * no server can tell from the first. So only its plain clients are used here, to ask.
 */
export class Sentinels {
  readonly #settings: RedisSettings;
  readonly #sentinel: SentinelSettings;
  readonly #logger: Logger;
  #isPasswordUnused = false;
  /** Those that were configured, first, and those that they have named. */
  readonly #addresses: RedisAddress[];
  /** A master that was just announced: Sentinels that have not heard of it yet name the one before. */
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
   * The master by the first Sentinel that knows it; all are asked at once, as some may be away.
   *
   * @throws {Error} where none answers with one
   */
  async findMaster(signal: AbortSignal): Promise<RedisAddress> {
    const announced = this.#announced;
    this.#announced = undefined;
    if (announced !== undefined && performance.now() < announced.untilMs) return announced.address;
    const { shownMasterName } = this.#sentinel;
    const asked = new AbortController();
    const onAbort = (): void => {
      asked.abort();
    };
    signal.addEventListener('abort', onAbort, { once: true });
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
      signal.removeEventListener('abort', onAbort);
    }
  }

  /**
   * Tells of every master that Sentinels announce, until the signal aborts. All are listened to: the
   * one that leads a failover knows of it first, and until then locks go to a master that is lost.
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

  /** Runs a question with a connection to one Sentinel. */
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
    // A signal of its own: the one given lives as long as the store, and would keep every listener.
    const over = new AbortController();
    const onAbort = (): void => {
      over.abort();
    };
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([asked, broken, rejectWhenAborted(over.signal)]);
    } catch (error) {
      throw withAddress(error, address);
    } finally {
      signal.removeEventListener('abort', onAbort);
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

  /** Sentinels that were not configured: those that were may all be gone one day. */
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

  /** Hears of masters for as long as the connection lasts. */
  async #listen(client: SentinelClient, onMaster: (master: RedisAddress) => void): Promise<never> {
    const { masterName } = this.#sentinel;
    // `+switch-master` comes only when the other replicas have followed as well.
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

/** True for one and the same address. */
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

/** Fields of a reply that lists names and values in turn. */
function valuesOf(fields: unknown, names: readonly string[]): readonly unknown[] {
  if (!Array.isArray(fields)) return [];
  return names.map((name) => fields[fields.indexOf(name) + 1] as unknown);
}
