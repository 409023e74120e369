import { ClientClosedError, ClientOfflineError, ErrorReply } from 'redis';

import { toErrorMessage } from '../../base/error-message';
import { StoreError, type StoreErrorKind } from '../../lock/lock-store';

/** A reply by which Redis says that it did not run the command, by the first word of the reply. */
interface ReplyRow {
  readonly kind: Extract<StoreErrorKind, 'unavailable' | 'rejected'>;
  /** What an operator should read before the server's own words. */
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

/** What a server says that has as many clients as it takes. */
const MAX_CLIENTS = 'max number of clients';

/** Replies that start with ERR and are worth telling apart, by what stands in them. */
const TEXTS: readonly (readonly [RegExp, ReplyRow])[] = [
  [new RegExp(MAX_CLIENTS), { kind: 'unavailable', meaning: 'Redis accepts no more connections' }],
  // What a script may not do: Redis 7, Valkey and later (script.c), Redis 6 (scripting.c).
  [/ACL failure in script|The user executing the script|not allowed from script/, FORBIDDEN],
  [
    /\bUnknown (?:\w+ )?command called from/,
    { kind: 'rejected', meaning: 'Redis does not have a command that a lock needs' },
  ],
];

/** How Redis 6 hands on what a command in a script was answered; later ones give the answer itself. */
const IN_SCRIPT = /^ERR Error running script .*@user_script: ?\d+: -?([A-Z]+) /;

/** True where Redis answered that it does not know a script by its hash: nothing was run. */
export function isNoScript(error: unknown): boolean {
  return isReply(error, 'NOSCRIPT');
}

/** True where the user may not run the command that was sent: nothing was run. */
export function isNoPermission(error: unknown): boolean {
  return isReply(error, 'NOPERM');
}

/** True where the user may not run the command that was sent, or one that its script runs. */
export function isForbidden(error: unknown): boolean {
  return error instanceof ErrorReply && rowOf(error.message) === FORBIDDEN;
}

/** True where no repetition makes Redis run a script: a permission or a command is missing, or its key is no lock. */
export function isHopeless(error: unknown): boolean {
  if (!(error instanceof ErrorReply)) return false;
  return isUnknownCommand(error) || rowOf(error.message)?.kind === 'rejected';
}

/** How servers say that they don't have a command; a script's own failure is none of it. */
const UNKNOWN_COMMAND =
  /^ERR (?!.*(?:script|user_script)).*\b(?:unknown|unsupported|disabled|unavailable|illegal|forbidden|not (?:supported|allowed|available|permitted|implemented))\b/i;

/**
 * True where a server does not have a command at all: it was renamed away, or a managed offer keeps
 * it to itself. Nothing was run.
 */
export function isUnknownCommand(error: unknown): boolean {
  return error instanceof ErrorReply && UNKNOWN_COMMAND.test(error.message);
}

/**
 * True where a command that can be done without is not run for us, whatever the reason: the user may
 * not, or the server does not have it. For commands whose arguments can't be wrong, as providers
 * have many words for this. LOADING and the like are no refusal, and neither is a missing password.
 */
export function isRefused(error: unknown): boolean {
  if (!(error instanceof ErrorReply)) return false;
  return isNoPermission(error) || (isReply(error, 'ERR') && !isMaxClients(error.message));
}

/** True where a server does nothing for a connection that has not signed in. */
export function isNotSignedIn(error: unknown): boolean {
  return isReply(error, 'NOAUTH');
}

/** True where a server asks for no password and yet was given one: every version has its own words. */
export function isPasswordNotNeeded(error: unknown): boolean {
  return (
    error instanceof ErrorReply &&
    /^ERR (?:AUTH .*called without any password|Client sent AUTH, but no password is set)/.test(
      error.message,
    )
  );
}

/** A reply without the arguments that Redis quotes in it: keys, owners, and of AUTH the password. */
export function toReplyText(error: unknown): string {
  return toErrorMessage(error).replace(/, with args beginning with:.*$/s, '');
}

/** TLS that can't come about however often it is tried: codes of OpenSSL and Node. */
const TLS_FAULT =
  /^(?:ERR_(?:SSL|TLS|OSSL)|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|INVALID_CA|HOSTNAME_MISMATCH)/;

/**
 * True where another attempt to reach Redis would meet the same: it refuses the credentials or the
 * database, speaks another protocol, or shows a certificate that nobody vouches for.
 */
export function isFinal(error: unknown): boolean {
  if (error instanceof StoreError) return error.kind === 'rejected';
  if (error instanceof ErrorReply) return ofReply(error).kind === 'rejected';
  if (typeof error !== 'object' || error === null) return false;
  // Known by their shape: an attempt may have several reasons, one for each address or Sentinel.
  if ('errors' in error && Array.isArray(error.errors)) return error.errors.every(isFinal);
  if ('cause' in error && error.cause !== undefined) return isFinal(error.cause);
  if ('code' in error && typeof error.code === 'string') return TLS_FAULT.test(error.code);
  return isGarbage(error);
}

/** True where Redis is a replica and takes no writes: nothing was run. */
export function isReadOnly(error: unknown): boolean {
  return isReply(error, 'READONLY');
}

/**
 * The border between node-redis and the store contract: what a sent command failed with.
 *
 * Redis that answers an error has not run the command: each of ours writes at its very end.
 * Anything else means that the reply is lost, and then nobody knows what the command did.
 *
 * @param endReason why the connection ended, where it has: node-redis only says that it did
 */
export function toStoreError(error: unknown, endReason: Error | undefined): StoreError {
  if (error instanceof StoreError) return error;
  if (error instanceof ErrorReply) return ofReply(error);
  if (error instanceof ClientClosedError || error instanceof ClientOfflineError) {
    // The connection had ended by itself and nobody had noticed yet: nothing was written to it.
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

/** What node-redis's decoder throws at bytes that are no RESP, and what bounds a reply says. */
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

/** The word that says what kind of error a reply is. */
function wordOf(reply: string): string {
  return IN_SCRIPT.exec(reply)?.[1] ?? reply.split(' ', 1)[0] ?? '';
}

function isMaxClients(reply: string): boolean {
  return reply.includes(MAX_CLIENTS);
}

function isReply(error: unknown, word: string): boolean {
  return error instanceof ErrorReply && wordOf(error.message) === word;
}
