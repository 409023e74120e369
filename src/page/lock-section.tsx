import { useEffect, useState } from 'preact/hooks';

import { LocksTable } from './locks-table';
import type { Monitor, View } from './monitor';
import { Pager } from './pager';
import { Name } from './name';
import {
  type ShownLock,
  sortLocks,
  type SortColumn,
  type SortOrder,
  WINDOW_SIZE,
} from './shown-locks';
import { toCount } from './words';

/** How many locks are on a page. */
const PAGE_SIZE = 50;

/** How long to wait for the next key before a search begins, in milliseconds. */
const TYPING_MS = 250;

/** A URL takes no longer ones. */
const LONGEST_PREFIX = 256;

/** The held locks of the chosen store: search, order and pages. */
export function LockSection(props: {
  readonly view: View;
  readonly monitor: Monitor;
  readonly nowMs: number;
  readonly onOpen: (lock: ShownLock) => void;
}) {
  const { view, monitor, nowMs, onOpen } = props;
  const { storeName, locks, listProblem, window, hasMore } = view;
  const [order, setOrder] = useState<SortOrder>({ column: 'resource', isDescending: false });
  const [page, setPage] = useState(0);
  const pages = Math.max(1, Math.ceil(locks.length / PAGE_SIZE));
  const shown = Math.min(page, pages - 1);
  const sorted = sortLocks(locks, order).slice(shown * PAGE_SIZE, (shown + 1) * PAGE_SIZE);

  const sort = (column: SortColumn): void => {
    const isSame = order.column === column;
    setOrder({ column, isDescending: isSame && !order.isDescending });
  };
  const turn = (by: 1 | -1): void => {
    const next = shown + by;
    if (next >= 0 && next < pages) setPage(next);
    else {
      setPage(by === 1 ? 0 : Infinity);
      monitor.turnWindow(by);
    }
  };
  return (
    <section aria-labelledby="held-locks">
      <div class="heading">
        <h2 id="held-locks" tabIndex={-1}>
          Held locks{' '}
          <span class="of">
            in <Name text={storeName} />
          </span>
        </h2>
        <SearchBox
          onSearch={(prefix) => {
            setPage(0);
            monitor.search(prefix);
          }}
        />
      </div>
      {listProblem === '' ? null : (
        <p class="problem" role="alert">
          {`The locks of this store can't be read: ${listProblem}.`}
        </p>
      )}
      {locks.length > 0 ? (
        <LocksTable locks={sorted} order={order} nowMs={nowMs} onSort={sort} onOpen={onOpen} />
      ) : null}
      <div class="below">
        <p class="count" role="status">
          {toCountSentence(view)}
        </p>
        <Pager
          page={shown}
          pages={pages}
          hasBefore={shown > 0 || window > 0}
          hasAfter={shown < pages - 1 || hasMore}
          onTurn={turn}
        />
      </div>
    </section>
  );
}

function SearchBox({ onSearch }: { readonly onSearch: (prefix: string) => void }) {
  const [text, setText] = useState('');
  const [searched, setSearched] = useState('');
  useEffect(() => {
    if (text === searched) return undefined;
    const timer = setTimeout(() => {
      setSearched(text);
      onSearch(text);
    }, TYPING_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [text, searched]);
  return (
    <label class="search">
      <span>Resource begins with</span>
      <input
        type="search"
        name="prefix"
        autocomplete="off"
        spellcheck={false}
        maxLength={LONGEST_PREFIX}
        value={text}
        onInput={({ currentTarget }) => {
          setText(currentTarget.value);
        }}
      />
    </label>
  );
}

function toCountSentence(view: View): string {
  const { locks, prefix, window, hasMore, listProblem, isListed } = view;
  if (!isListed) return 'Reading…';
  if (listProblem !== '') return '';
  const which = prefix === '' ? '' : ' with this beginning';
  if (!hasMore && window === 0) {
    return locks.length === 0
      ? `No lock${which} is held.`
      : `${toCount(locks.length, 'lock')}${which}`;
  }
  const order = `Sorted among ${WINDOW_SIZE.toLocaleString('en')} at a time`;
  const more = hasMore ? '; there are more' : '';
  return `Part ${window + 1} of the locks${which}: ${locks.length.toLocaleString('en')}${more}. ${order}.`;
}
