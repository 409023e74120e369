import type { Change } from './mutants';

/** Replaces a piece of a source; fails where it is not there just once, so that no bug turns into none. */
export function mutate(source: string, { piece, by }: Pick<Change, 'piece' | 'by'>): string {
  const count = source.split(piece).length - 1;
  if (count !== 1) throw new Error(`"${piece}" is in the source ${count} times, not once`);
  return source.replace(piece, () => by);
}
