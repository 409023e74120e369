import type { Logger } from '../../base/logger';
import { silentStoreObserver, type StoreObserver } from '../../lock/store-observer';
import type { Links } from '../attempts/link';
import { createRedisConnection } from './redis-connection';
import type { RedisLink } from './redis-link';
import type { RedisSettings } from './redis-settings';
import { PLAIN_SPELLING, type SideKeySpelling } from './side-keys';
import { toDebug, WakeUps, type WakeUpSource, type WakeUpsOptions } from './wake-ups';

/** The connection of a store to its server, or to its servers. */
export interface RedisConnection extends Links<RedisLink> {
  /**
   * Connects. Retries until the signal aborts if a server can't be reached yet. Fails at once if
   * waiting can't help. May be called again after a failure.
   */
  open(signal: AbortSignal): Promise<void>;
  /** Ends all links. Commands in flight fail with an unknown outcome. */
  close(): void;
}

/** The parts of a store that depend on whether its keys are on one server or spread over several. */
export interface RedisParts {
  readonly connection: RedisConnection;
  readonly spelling: SideKeySpelling;
  /**
   * The open links to all servers, in an order that lasts.
   *
   * @throws {StoreError} if one of several is away
   */
  readonly allLinks: () => readonly RedisLink[];
  readonly toWakeUps: (options: WakeUpsOptions) => WakeUpSource;
  /** Creates a second link to each server, for commands that block their link. */
  readonly createSecondLinks: () => SecondLinks;
}

/** The second links of a store. */
export interface SecondLinks extends Links<RedisLink> {
  /** Starts to open them. Nobody needs to wait for that. */
  start(): void;
  close(): void;
}

/** The dependencies of the parts. */
export interface RedisPartsOptions {
  readonly settings: RedisSettings;
  readonly logger: Logger;
  readonly observer: StoreObserver;
  /** May write to a link that is new, or has got more keys, before any call does. */
  readonly onLink: (link: RedisLink) => void;
}

/** A second link writes nothing of its own, and its state is that of the first. */
function toSecond(logger: Logger) {
  return { logger: toDebug(logger), observer: silentStoreObserver, onLink: () => undefined };
}

/** Creates the parts for one Redis, or for the master that Sentinels name. */
export function createPlainParts(options: RedisPartsOptions): RedisParts {
  const connection = createRedisConnection(options);
  return {
    connection,
    spelling: PLAIN_SPELLING,
    allLinks: () => [connection.linkFor() ?? []].flat(),
    toWakeUps: (wakeUps) => new WakeUps(wakeUps),
    createSecondLinks: () => createRedisConnection({ ...options, ...toSecond(options.logger) }),
  };
}
