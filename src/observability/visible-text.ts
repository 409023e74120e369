/**
 * What a terminal obeys or does not show: control characters (C0, DEL, C1), format characters
 * (those that turn the direction of a text or have no width), line and paragraph separators, and
 * halves of a character. Line feeds are left to whoever ends a line.
 */
const UNSEEN = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** A text that any terminal shows as it stands, for logs and standard error: `\u009b` for U+009B. */
export function toVisible(text: string): string {
  return text.replace(UNSEEN, toEscapes);
}

/** An escape for each half of a character beyond the first 65,536, as in JSON. */
function toEscapes(character: string): string {
  return Array.from({ length: character.length }, (_, index) => {
    return `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`;
  }).join('');
}
