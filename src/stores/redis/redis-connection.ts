import type { Logger } from '../../base/logger';
import { runWithin } from '../../base/race';
import type { StoreObserver } from '../../lock/store-observer';
import { dialHedged } from '../attempts/hedged-dial';
import { OneLink } from '../attempts/one-link';
import { type RedisAddress, toAddressText } from './redis-address';
import { isFinal } from './redis-errors';
import { openLink, type RedisLink, SERVER_NAME } from './redis-link';
import type { RedisSettings } from './redis-settings';
import { isSame, Sentinels } from './sentinels';

/** The dependencies of a connection. */
export interface RedisConnectionOptions {
  readonly settings: RedisSettings;
  readonly logger: Logger;
  readonly observer: StoreObserver;
  /** May write to a new connection before any call does. */
  readonly onLink: (link: RedisLink) => void;
}

/**
 * Connects to one Redis: the one of the address, or the master that Sentinels name. Replaced also
 * when a reply is overdue, and when there is another master.
 */
export function createRedisConnection(options: RedisConnectionOptions): OneLink<RedisLink> {
  const { settings, logger, observer } = options;
  const sentinels = settings.sentinel && new Sentinels({ ...options, sentinel: settings.sentinel });
  const dial = (signals: readonly AbortSignal[]): Promise<RedisLink> =>
    runWithin({ afterMs: settings.dialTimeoutMs, signals }, async (signal) => {
      const address = (await sentinels?.findMaster(signal)) ?? settings.addresses[0];
      return openLink(settings, address, signal);
    });
  const sayUnusedPassword = once((address) => {
    logger.warn(`Redis at ${toAddressText(address)} needs no password; redisPassword is not used`);
  });
  const watchMaster = once(() => {
    void sentinels?.watch((master) => {
      leaveForMaster(links.linkFor(), master);
    }, links.closing);
  });
  const links = new OneLink<RedisLink>({
    serverName: SERVER_NAME,
    place: `Redis at ${settings.addresses.map(toAddressText).join(',')}`,
    logger,
    observer,
    dial: (signals) => dialHedged((settled) => dial([...signals, settled])),
    isFinal,
    onLink(link) {
      options.onLink(link);
      if (link.isPasswordUnused) sayUnusedPassword(link.address);
      watchMaster(link.address);
    },
  });
  return links;
}

/**
 * After a failover, the old master may still be running, cut off from the others. Its locks are
 * void.
 */
function leaveForMaster(link: RedisLink | undefined, master: RedisAddress): void {
  if (link === undefined || isSame(link.address, master)) return;
  link.end(new Error(`failover: the new master is ${toAddressText(master)}`));
}

/** Does something at its first call only. */
function once(act: (address: RedisAddress) => void): (address: RedisAddress) => void {
  let isDone = false;
  return (address) => {
    if (isDone) return;
    isDone = true;
    act(address);
  };
}
