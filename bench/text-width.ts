/**
 * Characters by their width in hundredths of the font's size: those of DejaVu Sans, each taken up to
 * its class. It is among the widest of the fonts that browsers take for `system-ui` or `sans-serif`, so
 * that a text measured by it is not longer anywhere else.
 */
const WIDTHS: Readonly<Record<number, string>> = {
  30: `'IJijl`,
  36: String.raw` ,-./:;\f|·`,
  42: '!()[]rt',
  53: '"*?_`sz–',
  59: 'FLckvxy',
  64: '$0123456789EPSTYabdeghnopqu{}µ',
  70: 'ABCKRVXZ',
  80: '&DGHNOQU',
  86: '#+<=>M^w~',
};

/** Everything else: nothing in the Latin script is wider. */
const WIDEST = 100;

/** How much wider the bold face is at most, over a text. */
const BOLD = 1.15;

const WIDTH_OF = new Map(
  Object.entries(WIDTHS).flatMap(([width, characters]) =>
    Array.from(characters).map((character) => [character, Number(width)] as const),
  ),
);

/** How a text is set. */
export interface TextFace {
  /** In pixels. */
  readonly size: number;
  readonly isBold?: boolean;
}

/** At least as many pixels as a text takes, whichever sans-serif font it is set in. */
export function measureText(text: string, { size, isBold = false }: TextFace): number {
  const hundredths = Array.from(text).reduce(
    (sum, character) => sum + (WIDTH_OF.get(character) ?? WIDEST),
    0,
  );
  return ((hundredths * size) / 100) * (isBold ? BOLD : 1);
}
