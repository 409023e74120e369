import {
  checkSend,
  findHead,
  grant,
  GUARD,
  keepGrant,
  lockRow,
  putMark,
  SETTINGS,
  TICKET_LIFE_MS,
  WAKE,
} from './function-pieces';
import { variablesOf } from './lock-functions';
import type { FunctionText } from './schema';
import type { TableNames } from './table-names';

/**
 * Asks for a lock: grants it if it is free and no other live ticket leads, and adds a ticket to the
 * queue otherwise. The ticket gets its old place if the caller knows it.
 */
export function askFunction(names: TableNames): FunctionText {
  const { tickets, sidecars } = names;
  return {
    name: 'ask',
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
      p_sidecar: 'uuid',
      p_session: 'bigint',
      p_deadline: 'bigint',
      p_place: 'bigint',
    },
    results: {
      reply: 'text',
      token: 'bigint',
      place: 'bigint',
      ahead: 'bigint',
      left_ms: 'bigint',
    },
    variables: { ...variablesOf(names), is_first: 'boolean', spot: 'bigint' },
    body: `${GUARD}
${lockRow(names)}
${checkSend(names)}
  IF p_number > 0 AND held AND l.attempt = p_attempt AND l.owner = p_owner THEN
${putMark(names, 'p_number')}
${keepGrant(names)}
    RETURN;
  END IF;
  PERFORM FROM ${sidecars} s
    WHERE s.sidecar = p_sidecar AND s.session = p_session AND s.present_until > now_at;
  IF NOT FOUND THEN reply := 'lapsed'; RETURN; END IF;
  IF p_number > 0 THEN
${putMark(names, 'p_number')}
  END IF;
  SELECT t.place INTO spot FROM ${tickets} t WHERE t.attempt = p_attempt;
  spot := coalesce(spot, p_place);
  IF spot IS NOT NULL THEN
    INSERT INTO ${tickets} AS t (attempt, lock_id, place, sidecar, deadline)
      VALUES (p_attempt, p_id, spot, p_sidecar, to_timestamp(p_deadline / 1000.0))
      ON CONFLICT (attempt) DO UPDATE SET deadline = excluded.deadline;
  END IF;
${findHead(names)}
  is_first := head.attempt IS NULL OR head.attempt = p_attempt;
  IF is_first AND NOT held THEN
${grant(names)}
    DELETE FROM ${tickets} t WHERE t.attempt = p_attempt;
    RETURN;
  END IF;
  IF spot IS NULL THEN
    spot := greatest(floor(extract(epoch FROM now_at) * 1000000)::bigint,
      (SELECT max(t.place) + 1 FROM ${tickets} t WHERE t.lock_id = p_id));
    INSERT INTO ${tickets} (attempt, lock_id, place, sidecar, deadline)
      VALUES (p_attempt, p_id, spot, p_sidecar, to_timestamp(p_deadline / 1000.0));
  END IF;
  SELECT count(*) INTO ahead FROM ${tickets} t
    WHERE t.lock_id = p_id AND (t.place, t.attempt) < (spot, p_attempt);
  IF held THEN left_ms := ceil(extract(epoch FROM l.ends_at - now_at) * 1000);
  ELSE
    left_ms := 0;
    -- Its waiter may not know that the lock is free.
${WAKE}
  END IF;
  place := spot;
  reply := 'queued';`,
  };
}

/**
 * Makes a sidecar present. No other function does: if an ask could revive a session, and its reply
 * was lost, nobody would learn that tickets have been dropped.
 */
export function openFunction({ sidecars }: TableNames): FunctionText {
  return {
    name: 'open',
    parameters: {
      p_sidecar: 'uuid',
      p_session: 'bigint',
      p_not_after: 'bigint',
      p_wait: 'integer',
    },
    results: { reply: 'text' },
    variables: { now_at: 'timestamptz' },
    body: `${GUARD}
${SETTINGS}
  PERFORM FROM ${sidecars} s WHERE s.sidecar = p_sidecar FOR UPDATE;
  now_at := clock_timestamp();
  IF now_at > to_timestamp(p_not_after / 1000.0) THEN reply := 'stale'; RETURN; END IF;
  INSERT INTO ${sidecars} (sidecar, session, present_until)
    VALUES (p_sidecar, p_session, now_at + interval '${TICKET_LIFE_MS} milliseconds')
    ON CONFLICT (sidecar) DO UPDATE
      SET session = excluded.session, present_until = excluded.present_until;
  reply := 'opened';`,
  };
}

/** Keeps a sidecar present, and returns the indexes, from 1, of the locks that are free. */
export function refreshFunction({ sidecars, locks }: TableNames): FunctionText {
  return {
    name: 'refresh',
    parameters: {
      p_sidecar: 'uuid',
      p_session: 'bigint',
      p_ids: 'bytea[]',
      p_not_after: 'bigint',
      p_wait: 'integer',
    },
    results: { reply: 'text', free: 'integer[]' },
    variables: { now_at: 'timestamptz', s: `${sidecars}%ROWTYPE` },
    body: `${GUARD}
${SETTINGS}
  SELECT * INTO s FROM ${sidecars} f WHERE f.sidecar = p_sidecar FOR UPDATE;
  now_at := clock_timestamp();
  IF now_at > to_timestamp(p_not_after / 1000.0) THEN reply := 'stale'; RETURN; END IF;
  IF s.session IS DISTINCT FROM p_session OR s.present_until <= now_at THEN
    reply := 'lapsed';
    RETURN;
  END IF;
  UPDATE ${sidecars} AS u SET present_until = now_at + interval '${TICKET_LIFE_MS} milliseconds'
    WHERE u.sidecar = p_sidecar;
  SELECT coalesce(array_agg(i.ordinal::integer), '{}') INTO free
    FROM unnest(p_ids) WITH ORDINALITY AS i (id, ordinal)
    WHERE NOT EXISTS (SELECT FROM ${locks} f
      WHERE f.id = i.id AND f.owner IS NOT NULL AND f.ends_at > now_at);
  reply := 'refreshed';`,
  };
}

/** How many rows of each table a sweep deletes, so that it never takes long. */
export const ROWS_A_SWEEP = 1000;

/**
 * Deletes what is over: locks that have been free for a minute, marks, tickets and sidecars. Returns
 * the largest number of rows that it deleted from one table. One sweep at a time; another does
 * nothing. The floor of tokens is raised with the deletion of rows.
 */
export function sweepFunction(names: TableNames): FunctionText {
  const { locks, marks, tickets, sidecars, floor } = names;
  const some = `LIMIT ${ROWS_A_SWEEP} FOR UPDATE SKIP LOCKED`;
  return {
    name: 'sweep',
    parameters: {},
    results: { deleted: 'bigint' },
    variables: { now_at: 'timestamptz', highest: 'bigint', more: 'bigint' },
    body: `${GUARD}
  deleted := 0;
  IF NOT pg_try_advisory_xact_lock(hashtext('holdfast'), '${locks}'::regclass::oid::integer) THEN
    RETURN;
  END IF;
  now_at := clock_timestamp();
  WITH over AS (SELECT f.id FROM ${locks} f WHERE f.ends_at < now_at - interval '1 minute' ${some}),
    gone AS (DELETE FROM ${locks} f USING over WHERE f.id = over.id RETURNING f.token)
    SELECT max(gone.token), count(*) INTO highest, deleted FROM gone;
  IF highest IS NOT NULL THEN
    UPDATE ${floor} AS u SET token = greatest(u.token, highest);
  END IF;
  WITH over AS (SELECT m.attempt FROM ${marks} m
      WHERE m.kept_until < now_at - interval '10 seconds' ${some}),
    gone AS (DELETE FROM ${marks} m USING over WHERE m.attempt = over.attempt RETURNING 1)
    SELECT count(*) INTO more FROM gone;
  deleted := greatest(deleted, more);
  WITH over AS (SELECT t.attempt FROM ${tickets} t
      WHERE t.deadline < now_at OR NOT EXISTS (SELECT FROM ${sidecars} s
        WHERE s.sidecar = t.sidecar AND s.present_until > now_at - interval '10 seconds') ${some}),
    gone AS (DELETE FROM ${tickets} t USING over WHERE t.attempt = over.attempt RETURNING 1)
    SELECT count(*) INTO more FROM gone;
  deleted := greatest(deleted, more);
  WITH over AS (SELECT s.sidecar FROM ${sidecars} s
      WHERE s.present_until < now_at - interval '1 minute' ${some}),
    gone AS (DELETE FROM ${sidecars} s USING over WHERE s.sidecar = over.sidecar RETURNING 1)
    SELECT count(*) INTO more FROM gone;
  deleted := greatest(deleted, more);`,
  };
}
