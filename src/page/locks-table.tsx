import { useLayoutEffect, useRef } from 'preact/hooks';

import { Name } from './name';
import type { ShownLock, SortColumn, SortOrder } from './shown-locks';
import { TimeLeft } from './time-left';
import { shorten, toCount, toPlain, toToken } from './words';

/** The held locks of one page. */
export function LocksTable(props: {
  readonly locks: readonly ShownLock[];
  readonly order: SortOrder;
  readonly nowMs: number;
  readonly onSort: (column: SortColumn) => void;
  readonly onOpen: (lock: ShownLock) => void;
}) {
  const { locks, order, nowMs, onSort, onOpen } = props;
  const table = useKeptFocus();
  return (
    <table class="locks" ref={table}>
      <caption class="unseen">Held locks</caption>
      <thead>
        <tr>
          {COLUMNS.map(({ column, title, style }) => (
            <th
              key={column}
              scope="col"
              class={style}
              aria-sort={column === order.column ? toAria(order) : undefined}
            >
              <button
                type="button"
                class="sort"
                onClick={() => {
                  onSort(column);
                }}
              >
                {title}
              </button>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {locks.map((lock) => (
          <LockRow key={lock.resourceId} lock={lock} nowMs={nowMs} onOpen={onOpen} />
        ))}
      </tbody>
    </table>
  );
}

const COLUMNS = [
  { column: 'resource', title: 'Resource', style: '' },
  { column: 'owner', title: 'Owner', style: 'wide' },
  { column: 'token', title: 'Token', style: 'number wide' },
  { column: 'left', title: 'Time left', style: '' },
  { column: 'waiters', title: 'Waiters', style: 'number wide' },
] as const satisfies readonly { column: SortColumn; title: string; style: string }[];

function toAria({ isDescending }: SortOrder): 'ascending' | 'descending' {
  return isDescending ? 'descending' : 'ascending';
}

/** How much of a resource a screen reader says as the name of its button. */
const SPOKEN_LENGTH = 80;

function LockRow(props: {
  readonly lock: ShownLock;
  readonly nowMs: number;
  readonly onOpen: (lock: ShownLock) => void;
}) {
  const { lock, nowMs, onOpen } = props;
  const { resourceId, lockOwner, fencingToken, waiters } = lock;
  return (
    <tr>
      <th scope="row">
        <button
          type="button"
          class="link"
          aria-label={`Lock ${toPlain(shorten(resourceId, SPOKEN_LENGTH))}`}
          onClick={() => {
            onOpen(lock);
          }}
        >
          <Name text={resourceId} />
        </button>
        <span class="narrow under">
          <Name text={lockOwner} />
          {` · token ${toToken(fencingToken)}${waiters > 0 ? ` · ${toCount(waiters, 'waiter')}` : ''}`}
        </span>
      </th>
      <td class="wide">
        <Name text={lockOwner} />
      </td>
      <td class="number wide">{toToken(fencingToken)}</td>
      <td>
        <TimeLeft lock={lock} nowMs={nowMs} />
      </td>
      <td class={waiters > 0 ? 'number wide some' : 'number wide'}>{waiters}</td>
    </tr>
  );
}

/**
 * Keeps the focus on a row that moves: browsers without `moveBefore` take it from an element that is
 * put elsewhere. If the row is gone, its table gets the focus, so that the keyboard does not start
 * again at the top of the page.
 */
function useKeptFocus() {
  const table = useRef<HTMLTableElement>(null);
  const active = document.activeElement;
  const isInside = active instanceof HTMLElement && table.current?.contains(active) === true;
  useLayoutEffect(() => {
    if (!isInside || document.activeElement !== document.body) return;
    const next = active.isConnected ? active : table.current?.querySelector('button');
    next?.focus();
  });
  return table;
}
