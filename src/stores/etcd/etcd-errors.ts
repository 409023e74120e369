import { status } from '@grpc/grpc-js';

import { toErrorMessage } from '../../base/error-message';
import { StoreError, type StoreErrorKind } from '../../lock/lock-store';

/** The server's name in messages for users. */
export const SERVER_NAME = 'etcd';

/** An error of a call, as grpc-js gives it. */
export interface CallError extends Error {
  readonly code: number;
  /** The server's text, or that of grpc-js. */
  readonly details: string;
}

interface Row {
  readonly kind: Extract<StoreErrorKind, 'unavailable' | 'rejected'>;
  /** An explanation for operators, shown before the server's own text. */
  readonly meaning: string;
  /** True if another member may be able to do what this one can't. */
  readonly isUseless?: boolean;
  /** True if the call may have taken effect all the same. */
  readonly isUnknown?: boolean;
}

/**
 * Errors of etcd that need an explanation, by their text (api/v3rpc/rpctypes/error.go). docs/errors.md
 * has the same rows.
 */
export const ETCD_ERRORS: readonly (readonly [RegExp, Row])[] = [
  [
    /no leader/,
    { kind: 'unavailable', meaning: 'this member of etcd knows no leader', isUseless: true },
  ],
  [
    /rpc not supported for learner/,
    { kind: 'unavailable', meaning: 'this member of etcd has no vote', isUseless: true },
  ],
  [
    /timed out|server stopped|leader changed|raft proposal dropped/,
    {
      kind: 'unavailable',
      meaning: 'etcd could not agree in time',
      isUseless: true,
      isUnknown: true,
    },
  ],
  [/too many requests/, { kind: 'unavailable', meaning: 'etcd has too many requests' }],
  [
    /database space exceeded/,
    {
      kind: 'unavailable',
      meaning: 'etcd has reached its disk quota; compact and defragment it, and disarm the alarm',
    },
  ],
  [/corrupt/, { kind: 'unavailable', meaning: 'etcd has found that its data is corrupt' }],
  [/permission denied/, { kind: 'rejected', meaning: 'the etcd user lacks a permission' }],
  [/user name is empty/, { kind: 'rejected', meaning: 'etcd requires a user and a password' }],
  [/authentication failed/, { kind: 'rejected', meaning: 'etcd refused the user or the password' }],
  [
    /authentication is not enabled/,
    { kind: 'rejected', meaning: 'etcd has no users, but the component names one' },
  ],
];

/** The details of grpc-js's error if a connection could not be opened. Nothing was sent. */
const NO_CONNECTION =
  /^No connection established\. Last error: (?:Error: )?(.*?)(?:\. Resolution note:.*)?$/s;

/** TLS failures that no other attempt can mend, by the texts of OpenSSL and Node. */
const TLS_FAULT = /certificate|altnames|SSL routines|ALPN|(?:bad|invalid) ca\b/i;

/** Codes that say that nothing was done. */
const REFUSALS: readonly number[] = [
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
  status.ALREADY_EXISTS,
  status.PERMISSION_DENIED,
  status.FAILED_PRECONDITION,
  status.OUT_OF_RANGE,
  status.UNIMPLEMENTED,
  status.UNAUTHENTICATED,
];

/** True if there is no lease of that id: it was revoked, or is over. Nothing was done. */
export function isLeaseNotFound(error: unknown): boolean {
  return hasText(error, /requested lease not found/);
}

/** True if the id of a new lease is in use. Nothing was done. */
export function isLeaseTaken(error: unknown): boolean {
  return hasText(error, /lease already exists/);
}

/** True if etcd has reached its disk quota, and does nothing but delete. Nothing was done. */
export function isOutOfSpace(error: unknown): boolean {
  return hasText(error, /database space exceeded/);
}

/**
 * True if the token of the connection is no longer valid: it has expired, or users have changed.
 * Nothing was done.
 */
export function isTokenInvalid(error: unknown): boolean {
  return hasText(error, /invalid auth token|revision (?:of|in) .*auth|auth.*revision .*old/);
}

/** True if another member of the cluster may be able to run the call. */
export function isUseless(error: unknown): boolean {
  return isCallError(error) && rowOf(error)?.isUseless === true;
}

/** True if etcd will never run the call. */
export function isHopeless(error: unknown): boolean {
  return isCallError(error) && toStoreError(error, undefined).kind === 'rejected';
}

/** True if another attempt to connect would fail in the same way. */
export function isFinal(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(isFinal);
  return error instanceof StoreError ? error.kind === 'rejected' : isHopeless(error);
}

/**
 * Converts the failure of a call to the store contract.
 *
 * @param endReason why the connection ended, if it did; grpc-js only says that the call was
 *   cancelled
 */
export function toStoreError(error: unknown, endReason: Error | undefined): StoreError {
  if (error instanceof StoreError) return error;
  if (!isCallError(error)) return lost(error, toErrorMessage(error));
  const unconnected = NO_CONNECTION.exec(error.details)?.[1];
  if (unconnected !== undefined) return toUnconnected(error, unconnected);
  const row = rowOf(error);
  if (row !== undefined) {
    const outcome = row.isUnknown === true ? 'unknown' : 'not-applied';
    const message = `${row.meaning}: ${error.details}`;
    return new StoreError(message, { kind: row.kind, outcome, cause: error, reason: row.meaning });
  }
  if (REFUSALS.includes(error.code)) {
    const options = { kind: 'rejected', outcome: 'not-applied', cause: error } as const;
    return new StoreError(error.details, options);
  }
  return lost(error, endReason?.message ?? error.details);
}

/** True for an error that grpc-js gives for a call. */
export function isCallError(error: unknown): error is CallError {
  return error instanceof Error && 'code' in error && 'details' in error;
}

function toUnconnected(cause: CallError, reason: string): StoreError {
  const kind = TLS_FAULT.test(reason) ? 'rejected' : 'unavailable';
  return new StoreError(reason, { kind, outcome: 'not-applied', cause });
}

function lost(cause: unknown, reason: string): StoreError {
  const message = `the connection to etcd broke before the reply came (${reason})`;
  return new StoreError(message, { kind: 'unavailable', outcome: 'unknown', cause });
}

function rowOf({ details }: CallError): Row | undefined {
  return ETCD_ERRORS.find(([text]) => text.test(details))?.[1];
}

function hasText(error: unknown, text: RegExp): boolean {
  return isCallError(error) && text.test(error.details);
}
