import {
  checkSend,
  findHead,
  grant,
  GUARD,
  keepGrant,
  lockRow,
  putMark,
  SETTINGS,
  WAKE,
  WITHDRAWN_NUMBER,
} from './function-pieces';
import type { FunctionText } from './schema';
import type { TableNames } from './table-names';

/**
 * Takes a lock. A first send that finds it held reads one row, and locks and writes nothing: the
 * lock was held at that moment, whoever changes it now.
 */
export function acquireFunction(names: TableNames): FunctionText {
  return {
    name: 'acquire',
    parameters: {
      p_id: 'bytea',
      p_key: 'bytea',
      p_owner: 'bytea',
      p_attempt: 'uuid',
      p_ttl: 'bigint',
      p_not_after: 'bigint',
      p_number: 'integer',
      p_mark_until: 'bigint',
      p_wait: 'integer',
    },
    results: { reply: 'text', token: 'bigint' },
    variables: variablesOf(names),
    body: `${GUARD}
  IF p_number = 0 THEN
    PERFORM FROM ${names.locks} f
      WHERE f.id = p_id AND f.owner IS NOT NULL AND f.ends_at > clock_timestamp();
    IF FOUND THEN reply := 'refused'; RETURN; END IF;
  END IF;
${lockRow(names)}
${checkSend(names)}
  IF p_number > 0 THEN
${putMark(names, 'p_number')}
    IF held AND l.attempt = p_attempt AND l.owner = p_owner THEN
${keepGrant(names)}
      RETURN;
    END IF;
  END IF;
  IF held THEN reply := 'refused'; RETURN; END IF;
${findHead(names)}
  IF head.attempt IS NOT NULL AND head.attempt <> p_attempt THEN
    -- Its waiter may not know that the lock is free.
${WAKE}
    reply := 'refused';
    RETURN;
  END IF;
${grant(names)}`,
  };
}

/** Moves the end of a lease to now + ttl, if that is later. A repetition has no further effect. */
export function renewFunction(names: TableNames): FunctionText {
  return {
    name: 'renew',
    parameters: {
      p_id: 'bytea',
      p_owner: 'bytea',
      p_token: 'bigint',
      p_ttl: 'bigint',
      p_not_after: 'bigint',
      p_wait: 'integer',
    },
    results: { reply: 'text', token: 'bigint', left_ms: 'bigint' },
    variables: { l: `${names.locks}%ROWTYPE`, now_at: 'timestamptz' },
    body: `${GUARD}
${SETTINGS}
  SELECT * INTO l FROM ${names.locks} f WHERE f.id = p_id FOR UPDATE;
  now_at := clock_timestamp();
  IF now_at > to_timestamp(p_not_after / 1000.0) THEN reply := 'stale'; RETURN; END IF;
  IF l.owner IS NULL OR l.ends_at <= now_at THEN reply := 'not_found'; RETURN; END IF;
  IF l.owner <> p_owner OR l.token <> p_token THEN reply := 'held_by_other'; RETURN; END IF;
  IF now_at + p_ttl * interval '1 millisecond' > l.ends_at THEN
    UPDATE ${names.locks} AS u SET ends_at = now_at + p_ttl * interval '1 millisecond'
      WHERE u.id = p_id RETURNING u.ends_at INTO l.ends_at;
  END IF;
  reply := 'renewed';
  token := l.token;
  left_ms := floor(extract(epoch FROM l.ends_at - now_at) * 1000);`,
  };
}

/**
 * Releases a lock: for Unlock, for the release of one grant, and for a forced release. Without an
 * owner or a token, any will do. A first send that finds nothing to release writes nothing.
 */
export function releaseFunction(names: TableNames): FunctionText {
  return {
    name: 'release',
    parameters: {
      p_id: 'bytea',
      p_key: 'bytea',
      p_owner: 'bytea',
      p_token: 'bigint',
      p_attempt: 'uuid',
      p_not_after: 'bigint',
      p_number: 'integer',
      p_mark_until: 'bigint',
      p_wait: 'integer',
    },
    results: { reply: 'text' },
    variables: variablesOf(names),
    body: `${GUARD}
  IF p_number = 0 THEN
    SELECT * INTO l FROM ${names.locks} f WHERE f.id = p_id;
    IF l.owner IS NULL OR l.ends_at <= clock_timestamp() THEN reply := 'not_found'; RETURN; END IF;
    IF l.owner <> p_owner OR l.token <> p_token THEN reply := 'held_by_other'; RETURN; END IF;
  END IF;
${lockRow(names)}
${checkSend(names)}
  IF mark.released THEN
${putMark(names, 'p_number')}
    reply := 'unlocked';
    RETURN;
  END IF;
  IF held AND (p_owner IS NULL OR l.owner = p_owner) AND (p_token IS NULL OR l.token = p_token) THEN
    UPDATE ${names.locks} AS u SET owner = NULL, attempt = NULL, ends_at = now_at WHERE u.id = p_id;
${putMark(names, 'p_number', 'true')}
${findHead(names)}
${WAKE}
    reply := 'unlocked';
    RETURN;
  END IF;
  IF p_number > 0 THEN
${putMark(names, 'p_number')}
  END IF;
  reply := CASE WHEN held THEN 'held_by_other' ELSE 'not_found' END;`,
  };
}

/**
 * Undoes one attempt, and prevents sends of it that are still on their way from taking effect. May
 * run at any time and any number of times.
 */
export function withdrawFunction(names: TableNames): FunctionText {
  return {
    name: 'withdraw',
    parameters: {
      p_id: 'bytea',
      p_key: 'bytea',
      p_attempt: 'uuid',
      p_mark_until: 'bigint',
      p_wait: 'integer',
    },
    results: { reply: 'text' },
    variables: {
      ...variablesOf(names),
      led: 'boolean NOT NULL DEFAULT false',
    },
    body: `${GUARD}
${lockRow(names)}
${putMark(names, String(WITHDRAWN_NUMBER))}
  PERFORM FROM ${names.tickets} t WHERE t.attempt = p_attempt;
  IF FOUND THEN
${findHead(names)}
    led := head.attempt IS NOT DISTINCT FROM p_attempt;
    DELETE FROM ${names.tickets} t WHERE t.attempt = p_attempt;
  END IF;
  reply := 'nothing';
  IF held AND l.attempt = p_attempt THEN
    UPDATE ${names.locks} AS u SET owner = NULL, attempt = NULL, ends_at = now_at WHERE u.id = p_id;
    reply := 'withdrawn';
    led := true;
  END IF;
  IF led THEN
${findHead(names)}
${WAKE}
  END IF;`,
  };
}

/** The variables of functions that lock a row. */
export function variablesOf({ locks, marks, tickets }: TableNames): Record<string, string> {
  return {
    l: `${locks}%ROWTYPE`,
    mark: `${marks}%ROWTYPE`,
    head: `${tickets}%ROWTYPE`,
    now_at: 'timestamptz',
    held: 'boolean',
  };
}
