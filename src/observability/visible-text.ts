/**
 * Characters that control a terminal or are invisible: control characters (C0, DEL, C1), format
 * characters (those that change the text direction or have no width), line and paragraph
 * separators, and lone surrogates. Line feeds are handled by the caller.
 */
const UNSEEN = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Makes a text safe for terminals, for logs and standard error: U+009B becomes `\u009b`. */
export function toVisible(text: string): string {
  return text.replace(UNSEEN, toEscapes);
}

/** Escapes a character as JSON does, with two escapes for a surrogate pair. */
function toEscapes(character: string): string {
  return Array.from({ length: character.length }, (_, index) => {
    return `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`;
  }).join('');
}
