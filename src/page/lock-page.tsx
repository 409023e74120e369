import { useEffect, useRef, useState } from 'preact/hooks';

import { type SidecarOverview, toShown } from '../api/overview';
import { ForceRelease } from './force-release';
import { type Answered, toInstanceSentence } from './instances';
import { isOldView, LinkState } from './link-state';
import { LockDialog } from './lock-dialog';
import { LockSection } from './lock-section';
import type { Monitor, View, WatchedLock } from './monitor';
import { useNow } from './now';
import { RecentList } from './recent-list';
import type { SidecarClient } from './sidecar-client';
import { StoresTable } from './stores-table';
import type { TabToken } from './token';
import { TokenForm } from './token-form';
import { toDuration } from './words';

/** The parts of the page that do not show anything. */
interface PageParts {
  readonly client: SidecarClient;
  readonly monitor: Monitor;
  readonly token: TabToken;
}

/** The page. */
export function LockPage({ client, monitor, token }: PageParts) {
  const [view, setView] = useState(monitor.view);
  const [said, setSaid] = useState('');
  const nowMs = useNow();
  useEffect(() => monitor.subscribe(setView), [monitor]);
  useRestarts(view, setSaid);
  const { link, overview } = view;
  const use = (text: string): void => {
    token.text = text;
    monitor.refresh();
  };
  return (
    <>
      <header>
        <h1>
          Holdfast <span class="app">{overview?.appId}</span>
        </h1>
        <LinkState view={view} nowMs={nowMs} />
      </header>
      <main>
        <Said text={said} onClose={setSaid} />
        {link === 'token' ? <TokenForm isRefused={token.text !== ''} onToken={use} /> : null}
        {link === 'denied' ? <Denied /> : null}
        {overview === undefined || link === 'token' || link === 'denied' ? null : (
          <Data {...{ view, overview, client, monitor, nowMs }} onSaid={setSaid} />
        )}
      </main>
      <footer>
        {overview === undefined ? null : (
          <span>{`Holdfast ${overview.version}, up for ${toDuration(overview.uptimeMs)}`}</span>
        )}
        {token.text === '' || link === 'token' ? null : (
          <button
            type="button"
            class="link"
            onClick={() => {
              use('');
            }}
          >
            Forget the token
          </button>
        )}
      </footer>
    </>
  );
}

/** All that needs the data of the sidecar. */
function Data(props: {
  readonly view: View;
  readonly overview: SidecarOverview;
  readonly client: SidecarClient;
  readonly monitor: Monitor;
  readonly nowMs: number;
  readonly onSaid: (text: string) => void;
}) {
  const { view, overview, client, monitor, nowMs, onSaid } = props;
  const { storeName, watched } = view;
  const isFresh = view.link === 'live' && !isOldView(view, nowMs);
  return (
    <div class={isFresh ? 'data' : 'data stale'}>
      <section aria-labelledby="stores">
        <h2 id="stores">Stores</h2>
        <StoresTable
          stores={overview.stores}
          chosen={storeName}
          onChoose={(name) => {
            monitor.selectStore(name);
          }}
        />
      </section>
      {storeName === '' ? null : (
        <LockSection
          view={view}
          monitor={monitor}
          nowMs={nowMs}
          onOpen={({ resourceId }) => {
            monitor.watch({ storeName, resourceId });
          }}
        />
      )}
      <section aria-labelledby="lately">
        <h2 id="lately">
          Lately <span class="of">through this sidecar</span>
        </h2>
        <RecentList events={overview.recent} />
      </section>
      {watched === undefined ? null : (
        <Dialogs {...{ watched, overview, client, monitor, nowMs, onSaid }} isFresh={isFresh} />
      )}
    </div>
  );
}

/** The dialog of one lock, and the one that releases it. */
function Dialogs(props: {
  readonly watched: WatchedLock;
  readonly overview: SidecarOverview;
  readonly client: SidecarClient;
  readonly monitor: Monitor;
  readonly nowMs: number;
  readonly isFresh: boolean;
  readonly onSaid: (text: string) => void;
}) {
  const { watched, overview, client, monitor, nowMs, isFresh, onSaid } = props;
  const [isForcing, setIsForcing] = useState(false);
  const { storeName, resourceId } = watched.name;
  const shown = toShown(resourceId);
  const recent = overview.recent.filter(
    (event) => event.storeName === storeName && event.resourceId === shown,
  );
  return (
    <>
      <LockDialog
        watched={watched}
        recent={recent}
        nowMs={nowMs}
        isFresh={isFresh}
        onForce={() => {
          setIsForcing(true);
        }}
        onClose={() => {
          monitor.watch(undefined);
        }}
      />
      {isForcing ? (
        <ForceRelease
          client={client}
          watched={watched}
          nowMs={nowMs}
          onDone={(sentence) => {
            onSaid(sentence);
            setIsForcing(false);
            monitor.watch(undefined);
            monitor.refresh();
          }}
          onClose={() => {
            setIsForcing(false);
          }}
        />
      ) : null}
    </>
  );
}

/** Says that the sidecar was restarted, or that another one answers. */
function useRestarts({ overview, readAtMs }: View, onSaid: (text: string) => void): void {
  const before = useRef<Answered | undefined>(undefined);
  useEffect(() => {
    if (overview === undefined || readAtMs === undefined) return;
    const now = { overview, readAtMs };
    const sentence = before.current === undefined ? '' : toInstanceSentence(before.current, now);
    if (sentence !== '') onSaid(sentence);
    before.current = now;
  }, [overview]);
}

/** The result of the last action. It is always in the page, so that screen readers announce a new text. */
function Said({
  text,
  onClose,
}: {
  readonly text: string;
  readonly onClose: (text: string) => void;
}) {
  return (
    <div class={text === '' ? 'said empty' : 'said'}>
      <p role="status">{text}</p>
      {text === '' ? null : (
        <button
          type="button"
          class="link"
          onClick={() => {
            onClose('');
          }}
        >
          Dismiss
        </button>
      )}
    </div>
  );
}

function Denied() {
  return (
    <section class="denied" aria-labelledby="denied">
      <h2 id="denied">No access</h2>
      <p>
        This sidecar does not serve its locks. Its configuration denies the API <code>locks</code>,
        or the API <code>lock</code> or <code>unlock</code>, which includes it: see{' '}
        <code>spec.api</code> in the file of <code>--config</code>.
      </p>
    </section>
  );
}
