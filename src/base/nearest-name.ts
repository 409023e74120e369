import { closest, distance } from 'fastest-levenshtein';

/**
 * Maximum edit distance as a share of the name's length. A name further away is not considered a
 * typo.
 */
const FURTHEST_SHARE = 0.4;

/** The known name that was probably meant by an unknown one. Undefined if none is close. */
export function findNearest(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const lower = name.toLowerCase();
  const nearest = closest(
    lower,
    known.map((candidate) => candidate.toLowerCase()),
  );
  // Two swapped letters have an edit distance of two.
  const least = sortLetters(lower) === sortLetters(nearest) ? 2 : 1;
  const furthest = Math.max(least, FURTHEST_SHARE * name.length);
  if (distance(lower, nearest) > furthest) return undefined;
  return known.find((candidate) => candidate.toLowerCase() === nearest);
}

function sortLetters(name: string): string {
  return Array.from(name).sort().join('');
}
