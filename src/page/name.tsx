import { shorten, toPlain } from './words';

/** How much of a name stands in a line of a table. */
const LINE_LENGTH = 160;

/**
 * A name that clients chose. It is text whatever it contains, and does not change the direction of
 * the text beside it.
 */
export function Name({ text, whole = false }: { readonly text: string; readonly whole?: boolean }) {
  const shown = whole ? text : shorten(text, LINE_LENGTH);
  return <bdi class="name">{toPlain(shown)}</bdi>;
}
