/** Turns pages. Absent where there is only one. */
export function Pager(props: {
  readonly page: number;
  readonly pages: number;
  readonly hasBefore: boolean;
  readonly hasAfter: boolean;
  readonly onTurn: (by: 1 | -1) => void;
}) {
  const { page, pages, hasBefore, hasAfter, onTurn } = props;
  if (!hasBefore && !hasAfter) return null;
  return (
    <nav class="pager" aria-label="Pages of locks">
      <button
        type="button"
        disabled={!hasBefore}
        onClick={() => {
          onTurn(-1);
        }}
      >
        Previous
      </button>
      <span>{`${page + 1} of ${pages}`}</span>
      <button
        type="button"
        disabled={!hasAfter}
        onClick={() => {
          onTurn(1);
        }}
      >
        Next
      </button>
    </nav>
  );
}
