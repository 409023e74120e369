import type { Logger } from '../../base/logger';
import { runWithin } from '../../base/race';
import type { StoreObserver } from '../../lock/store-observer';
import { dialHedged } from '../attempts/hedged-dial';
import { OneLink } from '../attempts/one-link';
import { dialMembers, HEDGE_MS } from './dial-members';
import { loadEtcdApi } from './etcd-api';
import { isFinal, SERVER_NAME } from './etcd-errors';
import { EtcdLink } from './etcd-link';
import type { EtcdSettings } from './etcd-settings';

/** The options of a connection. */
export interface EtcdConnectionOptions {
  readonly settings: EtcdSettings;
  readonly logger: Logger;
  readonly observer: StoreObserver;
  /** May write to a new connection before any call does. */
  readonly onLink: (link: EtcdLink) => void;
}

/** Connects to one member of a cluster, and to another when that one fails. */
export function createEtcdConnection(options: EtcdConnectionOptions): OneLink<EtcdLink> {
  const { settings, logger, observer, onLink } = options;
  const { endpoints, dialTimeoutMs } = settings;
  const api = loadEtcdApi();
  /** The member to begin with. */
  let first = 0;
  const dialRound = (signals: readonly AbortSignal[]): Promise<EtcdLink> =>
    dialMembers(inTurn(endpoints, first), (endpoint, settled) =>
      runWithin({ afterMs: dialTimeoutMs, signals: [...signals, settled] }, (signal) =>
        EtcdLink.open({ settings, api, endpoint }, signal),
      ),
    );
  // By then each member has been tried, and all of these handshakes may have been lost.
  const roundMs = HEDGE_MS * inTurn(endpoints, first).length;
  return new OneLink<EtcdLink>({
    serverName: SERVER_NAME,
    place: `etcd at ${endpoints.join(',')}`,
    logger,
    observer,
    isFinal,
    dial: (signals) => dialHedged((settled) => dialRound([...signals, settled]), roundMs),
    onLink(link) {
      // The next attempt follows when this member has failed, which comes last then.
      first = endpoints.indexOf(link.endpoint) + 1;
      onLink(link);
    },
    describe: ({ endpoint }) => `, by ${endpoint}`,
  });
}

/** Each member once. A second connection to the only one helps if packets of the first were lost. */
function inTurn(endpoints: readonly string[], first: number): readonly string[] {
  const length = Math.max(2, endpoints.length);
  return Array.from({ length }, (_, at) => endpoints[(first + at) % endpoints.length] ?? '');
}
