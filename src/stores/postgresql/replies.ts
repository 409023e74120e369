import { StoreError } from '../../lock/lock-store';
import type { Rows } from './session';

/** The only row of an answer. Throws a {@link StoreError} of kind `protocol` otherwise. */
export function oneRow(rows: Rows): readonly unknown[] {
  const [row, more] = rows;
  if (row === undefined || more !== undefined) throw noAnswer();
  return row;
}

/** Reads one of several words. */
export function toWord<Word extends string>(raw: unknown, words: readonly Word[]): Word {
  const word = words.find((each) => each === raw);
  if (word === undefined) throw noAnswer();
  return word;
}

/** Reads a whole number. pg gives a bigint as text. */
export function toNumber(raw: unknown): number {
  const number = typeof raw === 'string' && raw !== '' ? Number(raw) : raw;
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) throw noAnswer();
  return number;
}

/** Reads text. */
export function toText(raw: unknown): string {
  if (typeof raw !== 'string') throw noAnswer();
  return raw;
}

/** Reads bytes as text. */
export function toTextOfBytes(raw: unknown): string {
  if (!Buffer.isBuffer(raw)) throw noAnswer();
  return raw.toString();
}

/** Reads a list of whole numbers. */
export function toNumbers(raw: unknown): readonly number[] {
  if (!Array.isArray(raw)) throw noAnswer();
  return raw.map(toNumber);
}

/** The error of a statement whose answer is unexpected. */
export function noAnswer(): StoreError {
  return new StoreError('PostgreSQL gave an unexpected answer to a lock call', {
    kind: 'protocol',
    outcome: 'unknown',
  });
}
