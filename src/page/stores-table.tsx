import type { StoreOverview } from '../api/overview';
import { Name } from './name';
import { toAgo } from './words';

/** The stores of the sidecar. One of them is chosen: its locks are shown. */
export function StoresTable(props: {
  readonly stores: readonly StoreOverview[];
  readonly chosen: string;
  readonly onChoose: (storeName: string) => void;
}) {
  const { stores, chosen, onChoose } = props;
  if (stores.length === 0) return <p class="empty">No lock store is loaded.</p>;
  return (
    <table class="stores">
      <caption class="unseen">Stores, their health, and their calls through this sidecar</caption>
      <thead>
        <tr>
          <th scope="col">Store</th>
          <th scope="col">Health</th>
          <th scope="col" class="number wide">
            Waiting
          </th>
          <th scope="col" class="number wide">
            Holding
          </th>
          <th scope="col" class="number wide">
            Granted<span class="unit">/min</span>
          </th>
          <th scope="col" class="number">
            Refused<span class="unit">/min</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {stores.map((store) => (
          <StoreRow
            key={store.name}
            store={store}
            isChosen={store.name === chosen}
            onChoose={onChoose}
          />
        ))}
      </tbody>
    </table>
  );
}

const HEALTH = {
  up: 'reachable',
  down: 'not reachable',
  loading: 'not loaded yet',
} as const satisfies Record<StoreOverview['state'], string>;

function StoreRow(props: {
  readonly store: StoreOverview;
  readonly isChosen: boolean;
  readonly onChoose: (storeName: string) => void;
}) {
  const { store, isChosen, onChoose } = props;
  const { name, type, state, sinceMs, waiting, holding, granted, refused } = store;
  return (
    <tr class={isChosen ? 'chosen' : ''}>
      <th scope="row">
        <button
          type="button"
          class="link"
          aria-pressed={isChosen}
          onClick={() => {
            onChoose(name);
          }}
        >
          <Name text={name} />
        </button>
        <span class="type">{type}</span>
      </th>
      <td>
        <span class={`health ${state}`}>{HEALTH[state]}</span>
        <span class="since">{`since ${toAgo(sinceMs).replace(' ago', '')}`}</span>
      </td>
      <td class="number wide">{waiting}</td>
      <td class="number wide">{holding}</td>
      <td class="number wide">{granted.at(-1)}</td>
      <td class="number">
        <Spark counts={refused} />
        {refused.at(-1)}
      </td>
    </tr>
  );
}

const SPARK_HEIGHT = 16;

/** The refusals of the last half hour, a column for each minute. The number beside it is the last one. */
function Spark({ counts }: { readonly counts: readonly number[] }) {
  const most = Math.max(1, ...counts);
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${counts.length * 3} ${SPARK_HEIGHT}`}
      role="img"
      aria-label={`At most ${Math.max(0, ...counts)} a minute in the last ${counts.length} minutes`}
    >
      {counts.map((count, minute) => {
        const height = count === 0 ? 1 : Math.max(2, (count / most) * SPARK_HEIGHT);
        return (
          <rect
            key={minute}
            class={count === 0 ? 'none' : ''}
            x={minute * 3}
            y={SPARK_HEIGHT - height}
            width="2"
            height={height}
          />
        );
      })}
    </svg>
  );
}
