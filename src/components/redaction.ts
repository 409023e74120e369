import { toErrorMessage } from '../base/error-message';
import type { LogFields, Logger } from '../base/logger';
import { createMappedLogger } from '../base/mapped-logger';
import { HIDDEN } from './metadata-properties';

/** Hides secrets in a text. */
export type Redact = (text: string) => string;

/** A value from a secret store or the environment. */
export interface SecretValue {
  /** The name of the metadata property. */
  readonly property: string;
  readonly value: string;
  /**
   * True for a value from a secret store. A value from an environment variable is usually not
   * secret.
   */
  readonly isFromStore: boolean;
}

/** Properties whose values are hidden even if they are short. */
const SENSITIVE = /(?:password|username|secret|token|key|cert)$/i;

/**
 * Texts of this length or more are hidden even inside words, because a match is not a coincidence.
 */
const LONG = 6;

/** Shorter texts from a secret store are not hidden. */
const SHORTEST = 2;

/**
 * Words that are common in messages. Hiding one would make every message unreadable and reveal the
 * value.
 */
const VOCABULARY: ReadonlySet<string> = new Set(
  `appid begin certificate client cluster component configuration connect connection default error
  failed false host init initialization key localhost lock main master metadata name node none password
  port private property public redis replica secret sentinel server standalone store timeout true user
  username`.split(/\s+/),
);

/** A number, a boolean or a duration. It is worthless as a secret, and part of many addresses. */
const PLAIN = /^(?:[+-]?[\d.]+(?:ns|us|µs|μs|ms|s|m|h)?|[tf])$/i;

/**
 * Creates a function that hides secrets in messages. A driver may quote a part of a value (one host
 * of a list, a port), in lower case, or as a number. So all these forms are searched, the longest
 * first and in one pass: a short secret must not break up a longer one, or the placeholder. Other
 * mixtures of case do not occur. Values that look like common words stay; to quote the value of a
 * property, use {@link MetadataProperties.show}.
 */
export function createRedaction(secrets: readonly SecretValue[]): Redact {
  const wholes = secrets.filter(isLookedFor).flatMap(({ value }) => toForms(value));
  const parts = secrets.flatMap(toParts).flatMap(toForms);
  const isInsideWords = new Map([
    ...parts.map((text) => [text, false] as const),
    ...wholes.map((text) => [text, text.length >= LONG] as const),
  ]);
  if (isInsideWords.size === 0) return (text) => text;
  const patterns = [...isInsideWords]
    .sort(([a], [b]) => b.length - a.length)
    .map(([text, isInside]) => (isInside ? toLiteral(text) : toWord(text)));
  const pattern = new RegExp(patterns.join('|'), 'gu');
  return (text) => text.replaceAll(pattern, HIDDEN);
}

/** Returns an error with the secrets hidden, and without causes, which would quote them. */
export function redactError(error: unknown, redact: Redact): Error {
  return new Error(redact(toErrorMessage(error)));
}

/** A logger that hides secrets in its lines, because a store may quote them later too. */
export function createRedactedLogger(logger: Logger, redact: Redact): Logger {
  const redactFields = (fields: LogFields): LogFields => {
    const shown = Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === 'string' ? redact(value) : value,
    ]);
    return Object.fromEntries(shown) as LogFields;
  };
  return createMappedLogger(logger, (message, fields) => [
    redact(message),
    fields && redactFields(fields),
  ]);
}

/** The forms in which a text may appear: trimmed, in lower and upper case, escaped, as a number. */
function toForms(text: string): readonly string[] {
  const trimmed = text.trim();
  const number = /^[+-]?\d+$/.test(trimmed) ? [String(Number(trimmed))] : [];
  const forms = [trimmed, trimmed.toLowerCase(), trimmed.toUpperCase(), ...number];
  const escaped = forms.map((form) => JSON.stringify(form).slice(1, -1));
  return [text, ...forms, ...escaped].filter((form) => form !== '');
}

/** The entries of a list, and their words. For a password, only long words. */
function toParts(secret: SecretValue): readonly string[] {
  const { property, value, isFromStore } = secret;
  const isSensitive = SENSITIVE.test(property);
  return [...value.split(','), ...value.split(/[^\p{L}\p{N}._-]+/u)].filter((part) =>
    isTelling(part, isFromStore && !isSensitive ? SHORTEST : LONG),
  );
}

function isLookedFor({ property, value, isFromStore }: SecretValue): boolean {
  return SENSITIVE.test(property) || isTelling(value, isFromStore ? SHORTEST : LONG);
}

function isTelling(value: string, shortest: number): boolean {
  const text = value.trim();
  const word = text.replaceAll(/^-+|-+$/g, '').toLowerCase();
  if (text.length < shortest || VOCABULARY.has(word)) return false;
  return text.length >= LONG || !PLAIN.test(text);
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
