import type { LogFields, Logger } from '../lock/logger';

/** Takes secrets out of a text that may quote them. */
export type Redact = (text: string) => string;

/** What stands in a text where a secret was. */
const PLACEHOLDER = '<secret>';

/** Below this a text says so little, and is part of so many words, that only the whole word counts. */
const SHORTEST_INSIDE_WORDS = 3;

/** A part shorter than this is no secret any more. */
const SHORTEST_PART = 2;

/**
 * Makes what keeps secrets out of messages. A driver quotes a value in pieces (one host of a list, a
 * port), in lower case or as a number, so all of these are looked for, the longest first and in one
 * pass: a short secret must not break up a longer one, nor the placeholder. Other mixtures of cases
 * are left alone, as nobody makes them: the host `redis` is no reason to hide the word Redis.
 */
export function createRedaction(secretValues: readonly string[]): Redact {
  const wholes = secretValues.flatMap(toForms);
  const parts = secretValues.flatMap(toParts).flatMap(toForms);
  const isInsideWords = new Map([
    ...parts.map((text) => [text, false] as const),
    ...wholes.map((text) => [text, text.length >= SHORTEST_INSIDE_WORDS] as const),
  ]);
  if (isInsideWords.size === 0) return (text) => text;
  const patterns = [...isInsideWords]
    .sort(([a], [b]) => b.length - a.length)
    .map(([text, isInside]) => (isInside ? toLiteral(text) : toWord(text)));
  const pattern = new RegExp(patterns.join('|'), 'gu');
  return (text) => text.replaceAll(pattern, PLACEHOLDER);
}

/** A logger whose lines are free of secrets: what a store meets later quotes them as well. */
export function createRedactedLogger(logger: Logger, redact: Redact): Logger {
  const write = (level: 'debug' | 'info' | 'warn' | 'error' | 'fatal') => {
    return (message: string, fields: LogFields = {}): void => {
      const shown = Object.entries(fields).map(([name, value]) => [
        name,
        typeof value === 'string' ? redact(value) : value,
      ]);
      logger[level](redact(message), Object.fromEntries(shown) as LogFields);
    };
  };
  return {
    isDebug: logger.isDebug,
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    fatal: write('fatal'),
    scoped: (...scope) => createRedactedLogger(logger.scoped(...scope), redact),
  };
}

/** A text as it is found again: trimmed, in lower and upper case, escaped, as a number. */
function toForms(text: string): readonly string[] {
  const trimmed = text.trim();
  const number = /^[+-]?\d+$/.test(trimmed) ? [String(Number(trimmed))] : [];
  const forms = [trimmed, trimmed.toLowerCase(), trimmed.toUpperCase(), ...number];
  const escaped = forms.map((form) => JSON.stringify(form).slice(1, -1));
  return [text, ...forms, ...escaped].filter((form) => form !== '');
}

/** The entries of a list, and the words that they are made of. */
function toParts(text: string): readonly string[] {
  const parts = [...text.split(','), ...text.split(/[^\p{L}\p{N}._-]+/u)];
  return parts.filter((part) => part.trim().length >= SHORTEST_PART);
}

function toWord(text: string): string {
  return `(?<![\\p{L}\\p{N}])${toLiteral(text)}(?![\\p{L}\\p{N}])`;
}

function toLiteral(text: string): string {
  return text.replace(
    /[\\^$.*+?()[\]{}|/-]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16)}`,
  );
}
