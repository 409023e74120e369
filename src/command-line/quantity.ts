/** The factor for each suffix of a Kubernetes quantity. */
const MULTIPLIERS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/**
 * Reads a Kubernetes quantity (`4Mi`, `4M`, `1.5Gi`, `1e3`, `4096`) as a number, rounded up.
 * Undefined for anything else. Suffixes above tera and below one are not accepted, because they
 * make no sense for sizes.
 */
export function parseQuantity(text: string): number | undefined {
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([kMGT]|[KMGT]i)?$/.exec(text);
  const multiplier = MULTIPLIERS[match?.[2] ?? ''];
  if (match === null || multiplier === undefined) return undefined;
  const value = Math.ceil(Number(match[1]) * multiplier);
  return Number.isSafeInteger(value) ? value : undefined;
}
