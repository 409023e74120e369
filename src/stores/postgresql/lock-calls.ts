import { type Attempt, createAttempt } from '../../lock/attempt';
import {
  StoreError,
  type TryLockCall,
  type UnlockCall,
  type UnlockOutcome,
} from '../../lock/lock-store';
import type { AcquireResult, RenewCall, RenewResult } from '../../lock/store-abilities';
import type { Command, Undo, Verdict } from '../attempts/command';
import type { SendStamp } from '../attempts/send-log';
import { toValidUntil } from './lease-end';
import type { PostgresqlLink } from './postgresql-link';
import { oneRow, toNumber, toWord } from './replies';
import type { Rows } from './session';
import { keyParameters, stampParameters, type Statements } from './statements';

const ACQUIRE_WORDS = ['granted', 'refused', 'stale', 'superseded'] as const;
const RENEW_WORDS = ['renewed', 'not_found', 'held_by_other', 'stale'] as const;
const RELEASE_WORDS = ['unlocked', 'not_found', 'held_by_other', 'stale', 'superseded'] as const;
const WITHDRAW_WORDS = ['withdrawn', 'nothing'] as const;

/** The grant that a release names. */
export interface ReleaseTerms extends Pick<UnlockCall, 'key' | 'attempt'> {
  /** Omitted for any owner. */
  readonly owner?: string | undefined;
  /** Omitted for any grant of the owner. */
  readonly fencingToken?: number | undefined;
}

/** A TryLock, with its token, as it is sent to PostgreSQL. */
export class Acquire implements Command<PostgresqlLink, Rows, AcquireResult> {
  readonly key: string;
  readonly attempt: Attempt;
  readonly leaseMs: number;
  readonly #statements: Statements;
  readonly #owner: string;

  constructor(statements: Statements, { key, attempt, ttlMs, owner }: TryLockCall) {
    this.key = key;
    this.attempt = attempt;
    this.leaseMs = ttlMs;
    this.#statements = statements;
    this.#owner = owner;
  }

  send(link: PostgresqlLink, stamp: SendStamp | undefined): Promise<Rows> {
    if (stamp === undefined) return Promise.reject(withoutStamp());
    return link.run(
      this.#statements.call('acquire', {
        ...keyParameters(this.key),
        ...stampParameters(stamp),
        p_owner: Buffer.from(this.#owner),
        p_attempt: this.attempt.id,
        p_ttl: this.leaseMs,
      }),
    );
  }

  judge(rows: Rows, sentAtMs: number): Verdict<AcquireResult> {
    const [reply, token] = oneRow(rows);
    const word = toWord(reply, ACQUIRE_WORDS);
    if (word === 'refused') return { answer: { acquired: false } };
    if (word !== 'granted') return word;
    const validUntilMs = toValidUntil(sentAtMs, this.leaseMs);
    const grant = { fencingToken: toNumber(token), validUntilMs };
    return { answer: { acquired: true, grant }, validUntilMs };
  }
}

/**
 * A renewal as it is sent to PostgreSQL. It has its own attempt, so that each send gets a notAfter.
 * A repetition has no further effect, so there is nothing to recognise or to undo.
 */
export class Renew implements Command<PostgresqlLink, Rows, RenewResult> {
  readonly key: string;
  readonly attempt: Attempt = createAttempt();
  readonly #statements: Statements;
  readonly #call: RenewCall;

  constructor(statements: Statements, call: RenewCall) {
    this.key = call.key;
    this.#statements = statements;
    this.#call = call;
  }

  send(link: PostgresqlLink, stamp: SendStamp | undefined): Promise<Rows> {
    if (stamp === undefined) return Promise.reject(withoutStamp());
    const { key, owner, fencingToken, ttlMs } = this.#call;
    return link.run(
      this.#statements.call('renew', {
        ...keyParameters(key),
        ...stampParameters(stamp),
        p_owner: Buffer.from(owner),
        p_token: fencingToken,
        p_ttl: ttlMs,
      }),
    );
  }

  judge(rows: Rows, sentAtMs: number): Verdict<RenewResult> {
    const [reply, token, leftMs] = oneRow(rows);
    const word = toWord(reply, RENEW_WORDS);
    if (word === 'stale') return 'stale';
    if (word !== 'renewed') return { answer: { status: word } };
    const validUntilMs = toValidUntil(sentAtMs, toNumber(leftMs));
    const grant = { fencingToken: toNumber(token), validUntilMs };
    return { answer: { status: 'renewed', grant }, validUntilMs };
  }
}

/** A release as it is sent to PostgreSQL: an Unlock, the release of one grant, or a forced release. */
export class Release implements Command<PostgresqlLink, Rows, UnlockOutcome> {
  readonly key: string;
  readonly attempt: Attempt;
  readonly #statements: Statements;
  readonly #terms: ReleaseTerms;

  constructor(statements: Statements, terms: ReleaseTerms) {
    this.key = terms.key;
    this.attempt = terms.attempt;
    this.#statements = statements;
    this.#terms = terms;
  }

  send(link: PostgresqlLink, stamp: SendStamp | undefined): Promise<Rows> {
    if (stamp === undefined) return Promise.reject(withoutStamp());
    const { owner, fencingToken } = this.#terms;
    return link.run(
      this.#statements.call('release', {
        ...keyParameters(this.key),
        ...stampParameters(stamp),
        p_owner: owner === undefined ? null : Buffer.from(owner),
        p_token: fencingToken,
        p_attempt: this.attempt.id,
      }),
    );
  }

  judge(rows: Rows): Verdict<UnlockOutcome> {
    const word = toWord(oneRow(rows)[0], RELEASE_WORDS);
    if (word === 'stale' || word === 'superseded') return word;
    // If it finds no lock, a lost send of the same release may have released it.
    return word === 'unlocked' ? { answer: word } : { answer: word, needsTraces: true };
  }
}

/** Creates the undoing of a call. `ttlMs` is the lease that the call may have been granted. */
export function toUndo(
  statements: Statements,
  terms: Pick<UnlockCall, 'key' | 'attempt'> & { readonly ttlMs?: number },
): Undo<PostgresqlLink> {
  const { key, attempt, ttlMs } = terms;
  const send = async (link: PostgresqlLink, markUntilMs: number): Promise<void> => {
    const rows = await link.run(
      statements.call('withdraw', {
        ...keyParameters(key),
        p_attempt: attempt.id,
        p_mark_until: markUntilMs,
      }),
    );
    toWord(oneRow(rows)[0], WITHDRAW_WORDS);
  };
  return ttlMs === undefined ? { key, attempt, send } : { key, attempt, leaseMs: ttlMs, send };
}

/** A link reads the server's time in its handshake, so a send without a stamp is a defect. */
export function withoutStamp(): StoreError {
  const options = { kind: 'rejected', outcome: 'not-applied' } as const;
  return new StoreError('a call of PostgreSQL needs the time of the server', options);
}
