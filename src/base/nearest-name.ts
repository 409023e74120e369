import { closest, distance } from 'fastest-levenshtein';

/** A name further away than this part of its letters is no slip of the other. */
const FURTHEST_SHARE = 0.4;

/** The known name that an unknown one was probably meant to be; undefined where none is near. */
export function findNearest(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const lower = name.toLowerCase();
  const nearest = closest(
    lower,
    known.map((candidate) => candidate.toLowerCase()),
  );
  // Two letters that changed places are two steps.
  const least = sortLetters(lower) === sortLetters(nearest) ? 2 : 1;
  const furthest = Math.max(least, FURTHEST_SHARE * name.length);
  if (distance(lower, nearest) > furthest) return undefined;
  return known.find((candidate) => candidate.toLowerCase() === nearest);
}

function sortLetters(name: string): string {
  return Array.from(name).sort().join('');
}
