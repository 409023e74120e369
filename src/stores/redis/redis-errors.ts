import { ClientClosedError, ClientOfflineError, ErrorReply } from 'redis';

import { toErrorMessage } from '../../base/error-message';
import { StoreError, type StoreErrorKind } from '../../lock/lock-store';

/**
 * An error reply of Redis that means that the command was not run. Found by the first word of the
 * reply.
 */
interface ReplyRow {
  readonly kind: Extract<StoreErrorKind, 'unavailable' | 'rejected'>;
  /** An explanation for operators, shown before the server's own text. */
  readonly meaning: string;
}

const FORBIDDEN: ReplyRow = { kind: 'rejected', meaning: 'the Redis user lacks a permission' };

const REPLIES: Readonly<Record<string, ReplyRow>> = {
  LOADING: { kind: 'unavailable', meaning: 'Redis is still loading its data' },
  BUSY: { kind: 'unavailable', meaning: 'Redis is busy running a script' },
  READONLY: { kind: 'unavailable', meaning: 'this Redis is a read-only replica' },
  MASTERDOWN: { kind: 'unavailable', meaning: 'Redis has lost its primary' },
  OOM: { kind: 'unavailable', meaning: 'Redis has no memory left for another lock' },
  MISCONF: { kind: 'unavailable', meaning: 'Redis refuses writes because it cannot save its data' },
  NOREPLICAS: {
    kind: 'unavailable',
    meaning: 'Redis refuses writes because it has too few replicas',
  },
  CLUSTERDOWN: { kind: 'unavailable', meaning: 'the Redis cluster is down' },
  NOAUTH: { kind: 'rejected', meaning: 'Redis requires a password' },
  WRONGPASS: { kind: 'rejected', meaning: 'Redis refused the password' },
  NOPERM: FORBIDDEN,
  WRONGTYPE: { kind: 'rejected', meaning: 'the key of the lock has a value of another type' },
};

/** The text of a server that has reached its limit of clients. */
const MAX_CLIENTS = 'max number of clients';

/** Replies that start with ERR and need an explanation of their own, by their text. */
const TEXTS: readonly (readonly [RegExp, ReplyRow])[] = [
  [new RegExp(MAX_CLIENTS), { kind: 'unavailable', meaning: 'Redis accepts no more connections' }],
  // Commands that a script may not run: Redis 7, Valkey and later (script.c), Redis 6
  // (scripting.c).
  [/ACL failure in script|The user executing the script|not allowed from script/, FORBIDDEN],
  [
    /\bUnknown (?:\w+ )?command called from/,
    { kind: 'rejected', meaning: 'Redis does not have a command that a lock needs' },
  ],
];

/** How Redis 6 wraps the error of a command in a script. Later versions return the error itself. */
const IN_SCRIPT = /^ERR Error running script .*@user_script: ?\d+: -?([A-Z]+) /;

/** True if Redis does not know a script by its hash. Nothing was run. */
export function isNoScript(error: unknown): boolean {
  return isReply(error, 'NOSCRIPT');
}

/** True if the user may not run the command that was sent. Nothing was run. */
export function isNoPermission(error: unknown): boolean {
  return isReply(error, 'NOPERM');
}

/** True if the user may not run the command that was sent, or one that its script runs. */
export function isForbidden(error: unknown): boolean {
  return error instanceof ErrorReply && rowOf(error.message) === FORBIDDEN;
}

/**
 * True if Redis will never run the script: a permission or a command is missing, or the key holds
 * something other than a lock.
 */
export function isHopeless(error: unknown): boolean {
  if (!(error instanceof ErrorReply)) return false;
  return isUnknownCommand(error) || rowOf(error.message)?.kind === 'rejected';
}

/** How servers report an unknown command. Failures inside a script do not match. */
const UNKNOWN_COMMAND =
  /^ERR (?!.*(?:script|user_script)).*\b(?:unknown|unsupported|disabled|unavailable|illegal|forbidden|not (?:supported|allowed|available|permitted|implemented))\b/i;

/**
 * True if the server does not have a command: it was renamed, or a managed service does not offer
 * it. Nothing was run.
 */
export function isUnknownCommand(error: unknown): boolean {
  return error instanceof ErrorReply && UNKNOWN_COMMAND.test(error.message);
}

/**
 * True if Redis does not run an optional command, for whatever reason: the user may not run it, or
 * the server does not have it. Use it only for commands whose arguments can't be wrong, because
 * providers have many texts for this. LOADING and similar replies do not count as a refusal, nor
 * does a missing password.
 */
export function isRefused(error: unknown): boolean {
  if (!(error instanceof ErrorReply)) return false;
  return isNoPermission(error) || (isReply(error, 'ERR') && !isMaxClients(error.message));
}

/** True if the server refuses commands because the connection has not signed in. */
export function isNotSignedIn(error: unknown): boolean {
  return isReply(error, 'NOAUTH');
}

/** True if the server requires no password but got one. Each version has its own text for that. */
export function isPasswordNotNeeded(error: unknown): boolean {
  return (
    error instanceof ErrorReply &&
    /^ERR (?:AUTH .*called without any password|Client sent AUTH, but no password is set)/.test(
      error.message,
    )
  );
}

/**
 * The text of a reply without the arguments that Redis quotes in it: keys, owners, and, for AUTH,
 * the password.
 */
export function toReplyText(error: unknown): string {
  return toErrorMessage(error).replace(/, with args beginning with:.*$/s, '');
}

/** TLS failures that no retry can fix, by the codes of OpenSSL and Node. */
const TLS_FAULT =
  /^(?:ERR_(?:SSL|TLS|OSSL)|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|INVALID_CA|HOSTNAME_MISMATCH)/;

/**
 * True if another attempt to connect would fail in the same way: Redis refuses the credentials or
 * the database, does not speak its protocol, or has a certificate that is not trusted.
 */
export function isFinal(error: unknown): boolean {
  if (error instanceof StoreError) return error.kind === 'rejected';
  if (error instanceof ErrorReply) return ofReply(error).kind === 'rejected';
  if (typeof error !== 'object' || error === null) return false;
  // Recognised by shape: an attempt may have several reasons, one for each address or Sentinel.
  if ('errors' in error && Array.isArray(error.errors)) return error.errors.every(isFinal);
  if ('cause' in error && error.cause !== undefined) return isFinal(error.cause);
  if ('code' in error && typeof error.code === 'string') return TLS_FAULT.test(error.code);
  return isGarbage(error);
}

/** True if Redis is a replica that accepts no writes. Nothing was run. */
export function isReadOnly(error: unknown): boolean {
  return isReply(error, 'READONLY');
}

/**
 * Converts the failure of a sent command from node-redis to the store contract.
 *
 * If Redis answers with an error, it has not changed anything: each of our scripts writes at its
 * very end. Any other failure means that the reply is lost, and the outcome is unknown.
 *
 * @param endReason why the connection ended, if it did; node-redis only says that it ended
 */
export function toStoreError(error: unknown, endReason: Error | undefined): StoreError {
  if (error instanceof StoreError) return error;
  if (error instanceof ErrorReply) return ofReply(error);
  if (error instanceof ClientClosedError || error instanceof ClientOfflineError) {
    // The connection had already ended without being noticed, so nothing was written to it.
    const message = "Redis can't be reached: the connection has just ended";
    return new StoreError(message, { kind: 'unavailable', outcome: 'not-applied', cause: error });
  }
  const reason = endReason?.message ?? 'no reason given';
  return new StoreError(`the connection to Redis broke before the reply came (${reason})`, {
    kind: isGarbage(endReason) ? 'protocol' : 'unavailable',
    outcome: 'unknown',
    cause: error,
  });
}

/**
 * True for what node-redis's decoder throws at bytes that are not RESP, and for the error of the
 * reply limit.
 */
function isGarbage(reason: unknown): boolean {
  return (
    reason instanceof Error && /^(?:Unknown RESP type|a reply was longer)/.test(reason.message)
  );
}

function ofReply(error: ErrorReply): StoreError {
  const row = rowOf(error.message);
  const reply = toReplyText(error);
  const message = row === undefined ? reply : `${row.meaning}: ${reply}`;
  const kind = row?.kind ?? 'rejected';
  const reason = row?.meaning;
  return new StoreError(message, { kind, outcome: 'not-applied', cause: error, reason });
}

function rowOf(reply: string): ReplyRow | undefined {
  return REPLIES[wordOf(reply)] ?? TEXTS.find(([text]) => text.test(reply))?.[1];
}

/** The first word of an error reply, which names its kind. */
function wordOf(reply: string): string {
  return IN_SCRIPT.exec(reply)?.[1] ?? reply.split(' ', 1)[0] ?? '';
}

function isMaxClients(reply: string): boolean {
  return reply.includes(MAX_CLIENTS);
}

function isReply(error: unknown, word: string): boolean {
  return error instanceof ErrorReply && wordOf(error.message) === word;
}
