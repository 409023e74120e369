import { toErrorMessage } from '../base/error-message';
import type { LogFields, Logger } from '../base/logger';
import { createMappedLogger } from '../base/mapped-logger';
import { HIDDEN } from './metadata-properties';

/** Takes secrets out of a text that may quote them. */
export type Redact = (text: string) => string;

/** A value that stands in no file of components. */
export interface SecretValue {
  /** The name of the metadata property. */
  readonly property: string;
  readonly value: string;
  /** True for a secret store's, false for a variable of the environment, which is mostly no secret. */
  readonly isFromStore: boolean;
}

/** Properties whose values are looked for however short they are. */
const SENSITIVE = /(?:password|username|secret|token|key|cert)$/i;

/** From here on a text is so much its own that it is found inside words, and is no accident. */
const LONG = 6;

/** A shorter text from a secret store is no secret any more. */
const SHORTEST = 2;

/**
 * Words that messages are made of whatever the values are. Hiding one of them garbles every sentence
 * and tells what the value is.
 */
const VOCABULARY: ReadonlySet<string> = new Set(
  `appid begin certificate client cluster component configuration connect connection default error
  failed false host init initialization key localhost lock main master metadata name node none password
  port private property public redis replica secret sentinel server standalone store timeout true user
  username`.split(/\s+/),
);

/** A number, a switch or a duration: as a secret it is worthless, and it is part of any address. */
const PLAIN = /^(?:[+-]?[\d.]+(?:ns|us|µs|μs|ms|s|m|h)?|[tf])$/i;

/**
 * Makes what keeps secrets out of messages. A driver quotes a value in pieces (one host of a list, a
 * port), in lower case or as a number, so all of these are looked for, the longest first and in one
 * pass: a short secret must not break up a longer one, nor the placeholder. Other mixtures of cases
 * are left alone, as nobody makes them. What says too little to be told from other words stays; who
 * quotes a property's value as such asks {@link MetadataProperties.show} instead.
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

/** What an error says, without secrets; and without its causes, which quote the same. */
export function redactError(error: unknown, redact: Redact): Error {
  return new Error(redact(toErrorMessage(error)));
}

/** A logger whose lines are free of secrets: what a store meets later quotes them as well. */
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

/** A text as it is found again: trimmed, in lower and upper case, escaped, as a number. */
function toForms(text: string): readonly string[] {
  const trimmed = text.trim();
  const number = /^[+-]?\d+$/.test(trimmed) ? [String(Number(trimmed))] : [];
  const forms = [trimmed, trimmed.toLowerCase(), trimmed.toUpperCase(), ...number];
  const escaped = forms.map((form) => JSON.stringify(form).slice(1, -1));
  return [text, ...forms, ...escaped].filter((form) => form !== '');
}

/** The entries of a list, and the words that they are made of; of a password only long ones count. */
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
