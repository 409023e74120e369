import type { TableNames } from './table-names';

/*
 * Pieces of PL/pgSQL that several functions share. They use these names: p_id, p_key, p_attempt,
 * p_number, p_not_after, p_mark_until and p_wait are parameters, `l` is the locked row, `now_at`
 * the time after the lock, `head` the live ticket that leads.
 */

/** The number in the mark of a withdrawn attempt: no send has a higher one. */
export const WITHDRAWN_NUMBER = 2_147_483_647;

/** How long a sidecar counts as present after its last refresh. Its tickets live as long. */
export const TICKET_LIFE_MS = 3000;

/** The prefix of a sidecar's channel for wake-ups. Its id, 32 hexadecimal digits, follows. */
export const CHANNEL_PREFIX = 'holdfast_';

/** The SQLSTATE by which functions refuse to work. Its text says why. */
export const REFUSED_STATE = 'HF001';

/** The SQLSTATE of a standby, as PostgreSQL itself has it. */
export const READ_ONLY_STATE = '25006';

/**
 * Refuses a standby, whose data may be old, and isolation levels whose snapshot is older than the
 * row lock.
 */
export const GUARD = `
  IF pg_is_in_recovery() THEN
    RAISE EXCEPTION USING ERRCODE = '${READ_ONLY_STATE}', MESSAGE = 'this server is a standby';
  END IF;
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION USING ERRCODE = '${REFUSED_STATE}', MESSAGE =
      'locks need the isolation level read committed, but default_transaction_isolation is another';
  END IF;`;

/**
 * Limits the wait for row locks and makes the commit durable, in this transaction only. So it works
 * through a pooler, too.
 */
export const SETTINGS = `
  PERFORM set_config('lock_timeout', p_wait::text, true);
  IF current_setting('synchronous_commit') = 'off' THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;`;

/**
 * Locks the row of the lock, and reads the clock afterwards. A new row begins at the floor of tokens,
 * which a sweep has raised in the transaction that deleted the row before.
 */
export function lockRow({ locks, floor }: TableNames): string {
  return `${SETTINGS}
  LOOP
    SELECT * INTO l FROM ${locks} f WHERE f.id = p_id FOR UPDATE;
    EXIT WHEN FOUND;
    INSERT INTO ${locks} (id, key, token, ends_at)
      SELECT p_id, p_key, coalesce((SELECT max(f.token) FROM ${floor} f), 0), '-infinity'
      ON CONFLICT (id) DO NOTHING;
  END LOOP;
  now_at := clock_timestamp();
  held := l.owner IS NOT NULL AND l.ends_at > now_at;`;
}

/** Ends the function if the send came too late, or if a later send or a withdrawal came first. */
export function checkSend({ marks }: TableNames): string {
  return `
  IF now_at > to_timestamp(p_not_after / 1000.0) THEN reply := 'stale'; RETURN; END IF;
  SELECT * INTO mark FROM ${marks} m WHERE m.attempt = p_attempt;
  IF mark.sends > p_number THEN reply := 'superseded'; RETURN; END IF;`;
}

/** Notes the number of a send, and with `released` that it has released the lock. */
export function putMark({ marks }: TableNames, number: string, released = 'false'): string {
  return `
    INSERT INTO ${marks} AS m (attempt, sends, released, kept_until)
      VALUES (p_attempt, ${number}, ${released}, to_timestamp(p_mark_until / 1000.0))
      ON CONFLICT (attempt) DO UPDATE SET sends = greatest(m.sends, excluded.sends),
        released = m.released OR excluded.released,
        kept_until = greatest(m.kept_until, excluded.kept_until);`;
}

/** Finds the live ticket that leads, and deletes the dead ones before it. */
export function findHead({ tickets, sidecars }: TableNames): string {
  return `
  SELECT t.* INTO head FROM ${tickets} t
    WHERE t.lock_id = p_id AND t.deadline >= now_at AND EXISTS (
      SELECT FROM ${sidecars} s WHERE s.sidecar = t.sidecar AND s.present_until > now_at)
    ORDER BY t.place, t.attempt LIMIT 1;
  DELETE FROM ${tickets} t WHERE t.lock_id = p_id
    AND (head.place IS NULL OR (t.place, t.attempt) < (head.place, head.attempt));`;
}

/**
 * Tells the head to ask for its lock. A full queue of notifications would fail the commit, and with
 * it a release, so nobody is told then.
 */
export const WAKE = `
  IF head.attempt IS NOT NULL AND pg_notification_queue_usage() < 0.9 THEN
    PERFORM pg_notify('${CHANNEL_PREFIX}' || replace(head.sidecar::text, '-', ''),
      replace(head.attempt::text, '-', ''));
  END IF;`;

/** Grants the lock. The token is computed while the row is locked. */
export function grant({ locks }: TableNames): string {
  return `
    UPDATE ${locks} AS u SET owner = p_owner, attempt = p_attempt,
        ends_at = now_at + p_ttl * interval '1 millisecond',
        token = greatest(u.token + 1, floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint)
      WHERE u.id = p_id RETURNING u.token INTO token;
    IF token > 9007199254740991 THEN
      RAISE EXCEPTION USING ERRCODE = '${REFUSED_STATE}', MESSAGE =
        'no higher fencing token is left: the last one is 2^53-1';
    END IF;
    reply := 'granted';`;
}

/** Answers a repeated send of the attempt that holds the lock. Its lease never becomes shorter. */
export function keepGrant({ locks }: TableNames): string {
  return `
    UPDATE ${locks} AS u
      SET ends_at = greatest(u.ends_at, now_at + p_ttl * interval '1 millisecond')
      WHERE u.id = p_id RETURNING u.token INTO token;
    reply := 'granted';`;
}
