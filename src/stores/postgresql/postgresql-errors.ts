import { DatabaseError } from 'pg';

import { toErrorMessage } from '../../base/error-message';
import { StoreError, type StoreErrorKind } from '../../lock/lock-store';
import { READ_ONLY_STATE, REFUSED_STATE } from './function-pieces';

/** The meaning of a server error, by its SQLSTATE or the class of it (the first two characters). */
interface StateRow {
  readonly kind: StoreErrorKind;
  /** An explanation for operators, shown before the server's own text. */
  readonly meaning: string;
}

const MISSING: StateRow = {
  kind: 'rejected',
  meaning: 'the tables or functions of the store are missing or of another version',
};

/** By SQLSTATE, or its class. docs/errors.md has the same rows. */
export const POSTGRESQL_ERRORS: Readonly<Record<string, StateRow>> = {
  [READ_ONLY_STATE]: { kind: 'unavailable', meaning: 'this PostgreSQL is a read-only standby' },
  [REFUSED_STATE]: { kind: 'rejected', meaning: 'PostgreSQL refused the call' },
  '28': { kind: 'rejected', meaning: 'PostgreSQL refused the user or the password' },
  '3D000': { kind: 'rejected', meaning: 'the database does not exist' },
  '3F000': MISSING,
  '40': { kind: 'unavailable', meaning: 'PostgreSQL rolled the call back again and again' },
  '42501': { kind: 'rejected', meaning: 'the PostgreSQL user lacks a permission' },
  '42883': MISSING,
  '42P01': MISSING,
  '42703': MISSING,
  '53100': { kind: 'unavailable', meaning: 'PostgreSQL has no disk space left' },
  '53300': { kind: 'unavailable', meaning: 'PostgreSQL accepts no more connections' },
  '53': { kind: 'unavailable', meaning: 'PostgreSQL lacks a resource' },
  '55P03': {
    kind: 'unavailable',
    meaning: 'another session has locked the row for too long',
  },
  '57014': { kind: 'unavailable', meaning: 'PostgreSQL ended the statement' },
  '57P03': { kind: 'unavailable', meaning: 'PostgreSQL is starting or stopping' },
};

/**
 * Classes of errors that may come after a commit: a broken connection, also between a pooler and the
 * server; an operator's intervention; a failure of the system. Any other error has rolled back the
 * statement.
 */
const UNSURE = /^(?:08|57P|58|XX)/;

/** The reply was not an answer that can be relied on: see {@link Session}. */
export class UnsureAnswerError extends Error {
  override readonly name = 'UnsureAnswerError';
}

/** Nothing was sent: the connection had already ended. */
export class NotSentError extends Error {
  override readonly name = 'NotSentError';
}

/** The SQLSTATE of an error of the server. Undefined for other errors. */
export function stateOf(error: unknown): string | undefined {
  return error instanceof DatabaseError ? error.code : undefined;
}

/** True if the server rolled the statement back because of others, so it can be run again. */
export function isSerializationFailure(error: unknown): boolean {
  return ['40001', '40P01'].includes(stateOf(error) ?? '');
}

/** True if the server is a standby. Another one may be the primary. */
export function isReadOnly(error: unknown): boolean {
  return stateOf(error) === READ_ONLY_STATE;
}

/** True if the server, or a pooler, does not take the options of the startup message. */
export function isUnknownStartupOption(error: unknown): boolean {
  const state = stateOf(error);
  if (state === '08P01') return /startup (?:parameter|option)/i.test(toErrorMessage(error));
  return state === '22023' || state === '42704';
}

/** True if the server will never run this call. */
export function isHopeless(error: unknown): boolean {
  return error instanceof DatabaseError && rowOf(error.code)?.kind === 'rejected';
}

/** TLS failures that no retry can fix, by the codes of OpenSSL and Node. */
const TLS_FAULT =
  /^(?:ERR_(?:SSL|TLS|OSSL)|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|INVALID_CA|HOSTNAME_MISMATCH)/;

/** Failures of pg's own that no retry can fix: no TLS where it is required, no or a wrong password. */
const PG_FAULT = /^(?:The server does not support SSL connections|SASL: )/;

/** True if another attempt to connect would fail in the same way. */
export function isFinal(error: unknown): boolean {
  if (error instanceof StoreError) return error.kind === 'rejected';
  if (error instanceof DatabaseError) return isHopeless(error);
  if (typeof error !== 'object' || error === null) return false;
  if ('errors' in error && Array.isArray(error.errors)) return error.errors.every(isFinal);
  if ('cause' in error && error.cause !== undefined) return isFinal(error.cause);
  if ('code' in error && typeof error.code === 'string') return TLS_FAULT.test(error.code);
  return PG_FAULT.test(toErrorMessage(error));
}

/**
 * Converts the failure of a sent statement to the store contract.
 *
 * @param endReason why the link ended, if it did
 */
export function toStoreError(error: unknown, endReason: Error | undefined): StoreError {
  if (error instanceof StoreError) return error;
  if (error instanceof NotSentError) {
    const options = { kind: 'unavailable', outcome: 'not-applied', cause: error } as const;
    return new StoreError(`PostgreSQL can't be reached: ${error.message}`, options);
  }
  if (error instanceof DatabaseError && !UNSURE.test(error.code ?? 'XX')) return ofState(error);
  const reason = error instanceof UnsureAnswerError ? error : (endReason ?? error);
  return new StoreError(
    `the connection to PostgreSQL broke before the reply came (${toErrorMessage(reason)})`,
    { kind: 'unavailable', outcome: 'unknown', cause: error },
  );
}

/** An error of the server in words, with what it means. */
export function describeError(error: unknown): string {
  const row = error instanceof DatabaseError ? rowOf(error.code) : undefined;
  const text = toErrorMessage(error);
  return row === undefined ? text : `${row.meaning}: ${text}`;
}

function ofState(error: DatabaseError): StoreError {
  const row = rowOf(error.code);
  return new StoreError(describeError(error), {
    kind: row?.kind ?? 'rejected',
    outcome: 'not-applied',
    cause: error,
    reason: row?.meaning,
  });
}

function rowOf(state = ''): StateRow | undefined {
  return POSTGRESQL_ERRORS[state] ?? POSTGRESQL_ERRORS[state.slice(0, 2)];
}
