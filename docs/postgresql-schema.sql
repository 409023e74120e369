-- The tables and functions of lock.postgresql, for its default tableName, and what its user needs. Holdfast
-- creates them itself unless its component says schema: check. To run this by hand, replace holdfast_locks by
-- the tableName, "public" by the schema, and the role holdfast by the user of the store:
--   psql -v ON_ERROR_STOP=1 --single-transaction -f postgresql-schema.sql
-- It may be run again, as after an upgrade.

CREATE TABLE IF NOT EXISTS "public"."holdfast_locks" (
  id bytea PRIMARY KEY, -- SHA-256 of the key
  key bytea NOT NULL,
  owner bytea, -- NULL: nobody holds the lock
  attempt uuid,
  token bigint NOT NULL,
  ends_at timestamptz NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
CREATE TABLE IF NOT EXISTS "public"."holdfast_locks_marks" (
  attempt uuid PRIMARY KEY,
  sends integer NOT NULL,
  released boolean NOT NULL,
  kept_until timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
CREATE TABLE IF NOT EXISTS "public"."holdfast_locks_tickets" (
  attempt uuid PRIMARY KEY,
  lock_id bytea NOT NULL,
  place bigint NOT NULL,
  sidecar uuid NOT NULL,
  deadline timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
CREATE INDEX IF NOT EXISTS "holdfast_locks_queue" ON "public"."holdfast_locks_tickets" (lock_id, place, attempt);
CREATE TABLE IF NOT EXISTS "public"."holdfast_locks_sidecars" (
  sidecar uuid PRIMARY KEY,
  session bigint NOT NULL,
  present_until timestamptz NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
-- The highest token among the rows that were deleted.
CREATE TABLE IF NOT EXISTS "public"."holdfast_locks_floor" (token bigint NOT NULL);
INSERT INTO "public"."holdfast_locks_floor" SELECT 0 WHERE NOT EXISTS (SELECT FROM "public"."holdfast_locks_floor");

CREATE OR REPLACE FUNCTION "public"."holdfast_locks_acquire_v1"(
  p_id bytea,
  p_key bytea,
  p_owner bytea,
  p_attempt uuid,
  p_ttl bigint,
  p_not_after bigint,
  p_number integer,
  p_mark_until bigint,
  p_wait integer,
  OUT reply text,
  OUT token bigint
) LANGUAGE plpgsql AS $holdfast$
DECLARE
  l "public"."holdfast_locks"%ROWTYPE;
  mark "public"."holdfast_locks_marks"%ROWTYPE;
  head "public"."holdfast_locks_tickets"%ROWTYPE;
  now_at timestamptz;
  held boolean;
BEGIN
  IF pg_is_in_recovery() THEN
    RAISE EXCEPTION USING ERRCODE = '25006', MESSAGE = 'this server is a standby';
  END IF;
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION USING ERRCODE = 'HF001', MESSAGE =
      'locks need the isolation level read committed, but default_transaction_isolation is another';
  END IF;
  IF p_number = 0 THEN
    PERFORM FROM "public"."holdfast_locks" f
      WHERE f.id = p_id AND f.owner IS NOT NULL AND f.ends_at > clock_timestamp();
    IF FOUND THEN reply := 'refused'; RETURN; END IF;
  END IF;

  PERFORM set_config('lock_timeout', p_wait::text, true);
  IF current_setting('synchronous_commit') = 'off' THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;
  LOOP
    SELECT * INTO l FROM "public"."holdfast_locks" f WHERE f.id = p_id FOR UPDATE;
    EXIT WHEN FOUND;
    INSERT INTO "public"."holdfast_locks" (id, key, token, ends_at)
      SELECT p_id, p_key, coalesce((SELECT max(f.token) FROM "public"."holdfast_locks_floor" f), 0), '-infinity'
      ON CONFLICT (id) DO NOTHING;
  END LOOP;
  now_at := clock_timestamp();
  held := l.owner IS NOT NULL AND l.ends_at > now_at;

  IF now_at > to_timestamp(p_not_after / 1000.0) THEN reply := 'stale'; RETURN; END IF;
  SELECT * INTO mark FROM "public"."holdfast_locks_marks" m WHERE m.attempt = p_attempt;
  IF mark.sends > p_number THEN reply := 'superseded'; RETURN; END IF;
  IF p_number > 0 THEN

    INSERT INTO "public"."holdfast_locks_marks" AS m (attempt, sends, released, kept_until)
      VALUES (p_attempt, p_number, false, to_timestamp(p_mark_until / 1000.0))
      ON CONFLICT (attempt) DO UPDATE SET sends = greatest(m.sends, excluded.sends),
        released = m.released OR excluded.released,
        kept_until = greatest(m.kept_until, excluded.kept_until);
    IF held AND l.attempt = p_attempt AND l.owner = p_owner THEN

    UPDATE "public"."holdfast_locks" AS u
      SET ends_at = greatest(u.ends_at, now_at + p_ttl * interval '1 millisecond')
      WHERE u.id = p_id RETURNING u.token INTO token;
    reply := 'granted';
      RETURN;
    END IF;
  END IF;
  IF held THEN reply := 'refused'; RETURN; END IF;

  SELECT t.* INTO head FROM "public"."holdfast_locks_tickets" t
    WHERE t.lock_id = p_id AND t.deadline >= now_at AND EXISTS (
      SELECT FROM "public"."holdfast_locks_sidecars" s WHERE s.sidecar = t.sidecar AND s.present_until > now_at)
    ORDER BY t.place, t.attempt LIMIT 1;
  DELETE FROM "public"."holdfast_locks_tickets" t WHERE t.lock_id = p_id
    AND (head.place IS NULL OR (t.place, t.attempt) < (head.place, head.attempt));
  IF head.attempt IS NOT NULL AND head.attempt <> p_attempt THEN
    -- Its waiter may not know that the lock is free.

  IF head.attempt IS NOT NULL AND pg_notification_queue_usage() < 0.9 THEN
    PERFORM pg_notify('holdfast_' || replace(head.sidecar::text, '-', ''),
      replace(head.attempt::text, '-', ''));
  END IF;
    reply := 'refused';
    RETURN;
  END IF;

    UPDATE "public"."holdfast_locks" AS u SET owner = p_owner, attempt = p_attempt,
        ends_at = now_at + p_ttl * interval '1 millisecond',
        token = greatest(u.token + 1, floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint)
      WHERE u.id = p_id RETURNING u.token INTO token;
    IF token > 9007199254740991 THEN
      RAISE EXCEPTION USING ERRCODE = 'HF001', MESSAGE =
        'no higher fencing token is left: the last one is 2^53-1';
    END IF;
    reply := 'granted';
END
$holdfast$;

CREATE OR REPLACE FUNCTION "public"."holdfast_locks_renew_v1"(
  p_id bytea,
  p_owner bytea,
  p_token bigint,
  p_ttl bigint,
  p_not_after bigint,
  p_wait integer,
  OUT reply text,
  OUT token bigint,
  OUT left_ms bigint
) LANGUAGE plpgsql AS $holdfast$
DECLARE
  l "public"."holdfast_locks"%ROWTYPE;
  now_at timestamptz;
BEGIN
  IF pg_is_in_recovery() THEN
    RAISE EXCEPTION USING ERRCODE = '25006', MESSAGE = 'this server is a standby';
  END IF;
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION USING ERRCODE = 'HF001', MESSAGE =
      'locks need the isolation level read committed, but default_transaction_isolation is another';
  END IF;

  PERFORM set_config('lock_timeout', p_wait::text, true);
  IF current_setting('synchronous_commit') = 'off' THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;
  SELECT * INTO l FROM "public"."holdfast_locks" f WHERE f.id = p_id FOR UPDATE;
  now_at := clock_timestamp();
  IF now_at > to_timestamp(p_not_after / 1000.0) THEN reply := 'stale'; RETURN; END IF;
  IF l.owner IS NULL OR l.ends_at <= now_at THEN reply := 'not_found'; RETURN; END IF;
  IF l.owner <> p_owner OR l.token <> p_token THEN reply := 'held_by_other'; RETURN; END IF;
  IF now_at + p_ttl * interval '1 millisecond' > l.ends_at THEN
    UPDATE "public"."holdfast_locks" AS u SET ends_at = now_at + p_ttl * interval '1 millisecond'
      WHERE u.id = p_id RETURNING u.ends_at INTO l.ends_at;
  END IF;
  reply := 'renewed';
  token := l.token;
  left_ms := floor(extract(epoch FROM l.ends_at - now_at) * 1000);
END
$holdfast$;

CREATE OR REPLACE FUNCTION "public"."holdfast_locks_release_v1"(
  p_id bytea,
  p_key bytea,
  p_owner bytea,
  p_token bigint,
  p_attempt uuid,
  p_not_after bigint,
  p_number integer,
  p_mark_until bigint,
  p_wait integer,
  OUT reply text
) LANGUAGE plpgsql AS $holdfast$
DECLARE
  l "public"."holdfast_locks"%ROWTYPE;
  mark "public"."holdfast_locks_marks"%ROWTYPE;
  head "public"."holdfast_locks_tickets"%ROWTYPE;
  now_at timestamptz;
  held boolean;
BEGIN
  IF pg_is_in_recovery() THEN
    RAISE EXCEPTION USING ERRCODE = '25006', MESSAGE = 'this server is a standby';
  END IF;
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION USING ERRCODE = 'HF001', MESSAGE =
      'locks need the isolation level read committed, but default_transaction_isolation is another';
  END IF;
  IF p_number = 0 THEN
    SELECT * INTO l FROM "public"."holdfast_locks" f WHERE f.id = p_id;
    IF l.owner IS NULL OR l.ends_at <= clock_timestamp() THEN reply := 'not_found'; RETURN; END IF;
    IF l.owner <> p_owner OR l.token <> p_token THEN reply := 'held_by_other'; RETURN; END IF;
  END IF;

  PERFORM set_config('lock_timeout', p_wait::text, true);
  IF current_setting('synchronous_commit') = 'off' THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;
  LOOP
    SELECT * INTO l FROM "public"."holdfast_locks" f WHERE f.id = p_id FOR UPDATE;
    EXIT WHEN FOUND;
    INSERT INTO "public"."holdfast_locks" (id, key, token, ends_at)
      SELECT p_id, p_key, coalesce((SELECT max(f.token) FROM "public"."holdfast_locks_floor" f), 0), '-infinity'
      ON CONFLICT (id) DO NOTHING;
  END LOOP;
  now_at := clock_timestamp();
  held := l.owner IS NOT NULL AND l.ends_at > now_at;

  IF now_at > to_timestamp(p_not_after / 1000.0) THEN reply := 'stale'; RETURN; END IF;
  SELECT * INTO mark FROM "public"."holdfast_locks_marks" m WHERE m.attempt = p_attempt;
  IF mark.sends > p_number THEN reply := 'superseded'; RETURN; END IF;
  IF mark.released THEN

    INSERT INTO "public"."holdfast_locks_marks" AS m (attempt, sends, released, kept_until)
      VALUES (p_attempt, p_number, false, to_timestamp(p_mark_until / 1000.0))
      ON CONFLICT (attempt) DO UPDATE SET sends = greatest(m.sends, excluded.sends),
        released = m.released OR excluded.released,
        kept_until = greatest(m.kept_until, excluded.kept_until);
    reply := 'unlocked';
    RETURN;
  END IF;
  IF held AND (p_owner IS NULL OR l.owner = p_owner) AND (p_token IS NULL OR l.token = p_token) THEN
    UPDATE "public"."holdfast_locks" AS u SET owner = NULL, attempt = NULL, ends_at = now_at WHERE u.id = p_id;

    INSERT INTO "public"."holdfast_locks_marks" AS m (attempt, sends, released, kept_until)
      VALUES (p_attempt, p_number, true, to_timestamp(p_mark_until / 1000.0))
      ON CONFLICT (attempt) DO UPDATE SET sends = greatest(m.sends, excluded.sends),
        released = m.released OR excluded.released,
        kept_until = greatest(m.kept_until, excluded.kept_until);

  SELECT t.* INTO head FROM "public"."holdfast_locks_tickets" t
    WHERE t.lock_id = p_id AND t.deadline >= now_at AND EXISTS (
      SELECT FROM "public"."holdfast_locks_sidecars" s WHERE s.sidecar = t.sidecar AND s.present_until > now_at)
    ORDER BY t.place, t.attempt LIMIT 1;
  DELETE FROM "public"."holdfast_locks_tickets" t WHERE t.lock_id = p_id
    AND (head.place IS NULL OR (t.place, t.attempt) < (head.place, head.attempt));

  IF head.attempt IS NOT NULL AND pg_notification_queue_usage() < 0.9 THEN
    PERFORM pg_notify('holdfast_' || replace(head.sidecar::text, '-', ''),
      replace(head.attempt::text, '-', ''));
  END IF;
    reply := 'unlocked';
    RETURN;
  END IF;
  IF p_number > 0 THEN

    INSERT INTO "public"."holdfast_locks_marks" AS m (attempt, sends, released, kept_until)
      VALUES (p_attempt, p_number, false, to_timestamp(p_mark_until / 1000.0))
      ON CONFLICT (attempt) DO UPDATE SET sends = greatest(m.sends, excluded.sends),
        released = m.released OR excluded.released,
        kept_until = greatest(m.kept_until, excluded.kept_until);
  END IF;
  reply := CASE WHEN held THEN 'held_by_other' ELSE 'not_found' END;
END
$holdfast$;

CREATE OR REPLACE FUNCTION "public"."holdfast_locks_withdraw_v1"(
  p_id bytea,
  p_key bytea,
  p_attempt uuid,
  p_mark_until bigint,
  p_wait integer,
  OUT reply text
) LANGUAGE plpgsql AS $holdfast$
DECLARE
  l "public"."holdfast_locks"%ROWTYPE;
  mark "public"."holdfast_locks_marks"%ROWTYPE;
  head "public"."holdfast_locks_tickets"%ROWTYPE;
  now_at timestamptz;
  held boolean;
  led boolean NOT NULL DEFAULT false;
BEGIN
  IF pg_is_in_recovery() THEN
    RAISE EXCEPTION USING ERRCODE = '25006', MESSAGE = 'this server is a standby';
  END IF;
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION USING ERRCODE = 'HF001', MESSAGE =
      'locks need the isolation level read committed, but default_transaction_isolation is another';
  END IF;

  PERFORM set_config('lock_timeout', p_wait::text, true);
  IF current_setting('synchronous_commit') = 'off' THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;
  LOOP
    SELECT * INTO l FROM "public"."holdfast_locks" f WHERE f.id = p_id FOR UPDATE;
    EXIT WHEN FOUND;
    INSERT INTO "public"."holdfast_locks" (id, key, token, ends_at)
      SELECT p_id, p_key, coalesce((SELECT max(f.token) FROM "public"."holdfast_locks_floor" f), 0), '-infinity'
      ON CONFLICT (id) DO NOTHING;
  END LOOP;
  now_at := clock_timestamp();
  held := l.owner IS NOT NULL AND l.ends_at > now_at;

    INSERT INTO "public"."holdfast_locks_marks" AS m (attempt, sends, released, kept_until)
      VALUES (p_attempt, 2147483647, false, to_timestamp(p_mark_until / 1000.0))
      ON CONFLICT (attempt) DO UPDATE SET sends = greatest(m.sends, excluded.sends),
        released = m.released OR excluded.released,
        kept_until = greatest(m.kept_until, excluded.kept_until);
  PERFORM FROM "public"."holdfast_locks_tickets" t WHERE t.attempt = p_attempt;
  IF FOUND THEN

  SELECT t.* INTO head FROM "public"."holdfast_locks_tickets" t
    WHERE t.lock_id = p_id AND t.deadline >= now_at AND EXISTS (
      SELECT FROM "public"."holdfast_locks_sidecars" s WHERE s.sidecar = t.sidecar AND s.present_until > now_at)
    ORDER BY t.place, t.attempt LIMIT 1;
  DELETE FROM "public"."holdfast_locks_tickets" t WHERE t.lock_id = p_id
    AND (head.place IS NULL OR (t.place, t.attempt) < (head.place, head.attempt));
    led := head.attempt IS NOT DISTINCT FROM p_attempt;
    DELETE FROM "public"."holdfast_locks_tickets" t WHERE t.attempt = p_attempt;
  END IF;
  reply := 'nothing';
  IF held AND l.attempt = p_attempt THEN
    UPDATE "public"."holdfast_locks" AS u SET owner = NULL, attempt = NULL, ends_at = now_at WHERE u.id = p_id;
    reply := 'withdrawn';
    led := true;
  END IF;
  IF led THEN

  SELECT t.* INTO head FROM "public"."holdfast_locks_tickets" t
    WHERE t.lock_id = p_id AND t.deadline >= now_at AND EXISTS (
      SELECT FROM "public"."holdfast_locks_sidecars" s WHERE s.sidecar = t.sidecar AND s.present_until > now_at)
    ORDER BY t.place, t.attempt LIMIT 1;
  DELETE FROM "public"."holdfast_locks_tickets" t WHERE t.lock_id = p_id
    AND (head.place IS NULL OR (t.place, t.attempt) < (head.place, head.attempt));

  IF head.attempt IS NOT NULL AND pg_notification_queue_usage() < 0.9 THEN
    PERFORM pg_notify('holdfast_' || replace(head.sidecar::text, '-', ''),
      replace(head.attempt::text, '-', ''));
  END IF;
  END IF;
END
$holdfast$;

CREATE OR REPLACE FUNCTION "public"."holdfast_locks_ask_v1"(
  p_id bytea,
  p_key bytea,
  p_owner bytea,
  p_attempt uuid,
  p_ttl bigint,
  p_not_after bigint,
  p_number integer,
  p_mark_until bigint,
  p_wait integer,
  p_sidecar uuid,
  p_session bigint,
  p_deadline bigint,
  p_place bigint,
  OUT reply text,
  OUT token bigint,
  OUT place bigint,
  OUT ahead bigint,
  OUT left_ms bigint
) LANGUAGE plpgsql AS $holdfast$
DECLARE
  l "public"."holdfast_locks"%ROWTYPE;
  mark "public"."holdfast_locks_marks"%ROWTYPE;
  head "public"."holdfast_locks_tickets"%ROWTYPE;
  now_at timestamptz;
  held boolean;
  is_first boolean;
  spot bigint;
BEGIN
  IF pg_is_in_recovery() THEN
    RAISE EXCEPTION USING ERRCODE = '25006', MESSAGE = 'this server is a standby';
  END IF;
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION USING ERRCODE = 'HF001', MESSAGE =
      'locks need the isolation level read committed, but default_transaction_isolation is another';
  END IF;

  PERFORM set_config('lock_timeout', p_wait::text, true);
  IF current_setting('synchronous_commit') = 'off' THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;
  LOOP
    SELECT * INTO l FROM "public"."holdfast_locks" f WHERE f.id = p_id FOR UPDATE;
    EXIT WHEN FOUND;
    INSERT INTO "public"."holdfast_locks" (id, key, token, ends_at)
      SELECT p_id, p_key, coalesce((SELECT max(f.token) FROM "public"."holdfast_locks_floor" f), 0), '-infinity'
      ON CONFLICT (id) DO NOTHING;
  END LOOP;
  now_at := clock_timestamp();
  held := l.owner IS NOT NULL AND l.ends_at > now_at;

  IF now_at > to_timestamp(p_not_after / 1000.0) THEN reply := 'stale'; RETURN; END IF;
  SELECT * INTO mark FROM "public"."holdfast_locks_marks" m WHERE m.attempt = p_attempt;
  IF mark.sends > p_number THEN reply := 'superseded'; RETURN; END IF;
  IF p_number > 0 AND held AND l.attempt = p_attempt AND l.owner = p_owner THEN

    INSERT INTO "public"."holdfast_locks_marks" AS m (attempt, sends, released, kept_until)
      VALUES (p_attempt, p_number, false, to_timestamp(p_mark_until / 1000.0))
      ON CONFLICT (attempt) DO UPDATE SET sends = greatest(m.sends, excluded.sends),
        released = m.released OR excluded.released,
        kept_until = greatest(m.kept_until, excluded.kept_until);

    UPDATE "public"."holdfast_locks" AS u
      SET ends_at = greatest(u.ends_at, now_at + p_ttl * interval '1 millisecond')
      WHERE u.id = p_id RETURNING u.token INTO token;
    reply := 'granted';
    RETURN;
  END IF;
  PERFORM FROM "public"."holdfast_locks_sidecars" s
    WHERE s.sidecar = p_sidecar AND s.session = p_session AND s.present_until > now_at;
  IF NOT FOUND THEN reply := 'lapsed'; RETURN; END IF;
  IF p_number > 0 THEN

    INSERT INTO "public"."holdfast_locks_marks" AS m (attempt, sends, released, kept_until)
      VALUES (p_attempt, p_number, false, to_timestamp(p_mark_until / 1000.0))
      ON CONFLICT (attempt) DO UPDATE SET sends = greatest(m.sends, excluded.sends),
        released = m.released OR excluded.released,
        kept_until = greatest(m.kept_until, excluded.kept_until);
  END IF;
  SELECT t.place INTO spot FROM "public"."holdfast_locks_tickets" t WHERE t.attempt = p_attempt;
  spot := coalesce(spot, p_place);
  IF spot IS NOT NULL THEN
    INSERT INTO "public"."holdfast_locks_tickets" AS t (attempt, lock_id, place, sidecar, deadline)
      VALUES (p_attempt, p_id, spot, p_sidecar, to_timestamp(p_deadline / 1000.0))
      ON CONFLICT (attempt) DO UPDATE SET deadline = excluded.deadline;
  END IF;

  SELECT t.* INTO head FROM "public"."holdfast_locks_tickets" t
    WHERE t.lock_id = p_id AND t.deadline >= now_at AND EXISTS (
      SELECT FROM "public"."holdfast_locks_sidecars" s WHERE s.sidecar = t.sidecar AND s.present_until > now_at)
    ORDER BY t.place, t.attempt LIMIT 1;
  DELETE FROM "public"."holdfast_locks_tickets" t WHERE t.lock_id = p_id
    AND (head.place IS NULL OR (t.place, t.attempt) < (head.place, head.attempt));
  is_first := head.attempt IS NULL OR head.attempt = p_attempt;
  IF is_first AND NOT held THEN

    UPDATE "public"."holdfast_locks" AS u SET owner = p_owner, attempt = p_attempt,
        ends_at = now_at + p_ttl * interval '1 millisecond',
        token = greatest(u.token + 1, floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint)
      WHERE u.id = p_id RETURNING u.token INTO token;
    IF token > 9007199254740991 THEN
      RAISE EXCEPTION USING ERRCODE = 'HF001', MESSAGE =
        'no higher fencing token is left: the last one is 2^53-1';
    END IF;
    reply := 'granted';
    DELETE FROM "public"."holdfast_locks_tickets" t WHERE t.attempt = p_attempt;
    RETURN;
  END IF;
  IF spot IS NULL THEN
    spot := greatest(floor(extract(epoch FROM now_at) * 1000000)::bigint,
      (SELECT max(t.place) + 1 FROM "public"."holdfast_locks_tickets" t WHERE t.lock_id = p_id));
    INSERT INTO "public"."holdfast_locks_tickets" (attempt, lock_id, place, sidecar, deadline)
      VALUES (p_attempt, p_id, spot, p_sidecar, to_timestamp(p_deadline / 1000.0));
  END IF;
  SELECT count(*) INTO ahead FROM "public"."holdfast_locks_tickets" t
    WHERE t.lock_id = p_id AND (t.place, t.attempt) < (spot, p_attempt);
  IF held THEN left_ms := ceil(extract(epoch FROM l.ends_at - now_at) * 1000);
  ELSE
    left_ms := 0;
    -- Its waiter may not know that the lock is free.

  IF head.attempt IS NOT NULL AND pg_notification_queue_usage() < 0.9 THEN
    PERFORM pg_notify('holdfast_' || replace(head.sidecar::text, '-', ''),
      replace(head.attempt::text, '-', ''));
  END IF;
  END IF;
  place := spot;
  reply := 'queued';
END
$holdfast$;

CREATE OR REPLACE FUNCTION "public"."holdfast_locks_open_v1"(
  p_sidecar uuid,
  p_session bigint,
  p_not_after bigint,
  p_wait integer,
  OUT reply text
) LANGUAGE plpgsql AS $holdfast$
DECLARE
  now_at timestamptz;
BEGIN
  IF pg_is_in_recovery() THEN
    RAISE EXCEPTION USING ERRCODE = '25006', MESSAGE = 'this server is a standby';
  END IF;
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION USING ERRCODE = 'HF001', MESSAGE =
      'locks need the isolation level read committed, but default_transaction_isolation is another';
  END IF;

  PERFORM set_config('lock_timeout', p_wait::text, true);
  IF current_setting('synchronous_commit') = 'off' THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;
  PERFORM FROM "public"."holdfast_locks_sidecars" s WHERE s.sidecar = p_sidecar FOR UPDATE;
  now_at := clock_timestamp();
  IF now_at > to_timestamp(p_not_after / 1000.0) THEN reply := 'stale'; RETURN; END IF;
  INSERT INTO "public"."holdfast_locks_sidecars" (sidecar, session, present_until)
    VALUES (p_sidecar, p_session, now_at + interval '3000 milliseconds')
    ON CONFLICT (sidecar) DO UPDATE
      SET session = excluded.session, present_until = excluded.present_until;
  reply := 'opened';
END
$holdfast$;

CREATE OR REPLACE FUNCTION "public"."holdfast_locks_refresh_v1"(
  p_sidecar uuid,
  p_session bigint,
  p_ids bytea[],
  p_not_after bigint,
  p_wait integer,
  OUT reply text,
  OUT free integer[]
) LANGUAGE plpgsql AS $holdfast$
DECLARE
  now_at timestamptz;
  s "public"."holdfast_locks_sidecars"%ROWTYPE;
BEGIN
  IF pg_is_in_recovery() THEN
    RAISE EXCEPTION USING ERRCODE = '25006', MESSAGE = 'this server is a standby';
  END IF;
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION USING ERRCODE = 'HF001', MESSAGE =
      'locks need the isolation level read committed, but default_transaction_isolation is another';
  END IF;

  PERFORM set_config('lock_timeout', p_wait::text, true);
  IF current_setting('synchronous_commit') = 'off' THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;
  SELECT * INTO s FROM "public"."holdfast_locks_sidecars" f WHERE f.sidecar = p_sidecar FOR UPDATE;
  now_at := clock_timestamp();
  IF now_at > to_timestamp(p_not_after / 1000.0) THEN reply := 'stale'; RETURN; END IF;
  IF s.session IS DISTINCT FROM p_session OR s.present_until <= now_at THEN
    reply := 'lapsed';
    RETURN;
  END IF;
  UPDATE "public"."holdfast_locks_sidecars" AS u SET present_until = now_at + interval '3000 milliseconds'
    WHERE u.sidecar = p_sidecar;
  SELECT coalesce(array_agg(i.ordinal::integer), '{}') INTO free
    FROM unnest(p_ids) WITH ORDINALITY AS i (id, ordinal)
    WHERE NOT EXISTS (SELECT FROM "public"."holdfast_locks" f
      WHERE f.id = i.id AND f.owner IS NOT NULL AND f.ends_at > now_at);
  reply := 'refreshed';
END
$holdfast$;

CREATE OR REPLACE FUNCTION "public"."holdfast_locks_sweep_v1"(
  OUT deleted bigint
) LANGUAGE plpgsql AS $holdfast$
DECLARE
  now_at timestamptz;
  highest bigint;
  more bigint;
BEGIN
  IF pg_is_in_recovery() THEN
    RAISE EXCEPTION USING ERRCODE = '25006', MESSAGE = 'this server is a standby';
  END IF;
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION USING ERRCODE = 'HF001', MESSAGE =
      'locks need the isolation level read committed, but default_transaction_isolation is another';
  END IF;
  deleted := 0;
  IF NOT pg_try_advisory_xact_lock(hashtext('holdfast'), '"public"."holdfast_locks"'::regclass::oid::integer) THEN
    RETURN;
  END IF;
  now_at := clock_timestamp();
  WITH over AS (SELECT f.id FROM "public"."holdfast_locks" f WHERE f.ends_at < now_at - interval '1 minute' LIMIT 1000 FOR UPDATE SKIP LOCKED),
    gone AS (DELETE FROM "public"."holdfast_locks" f USING over WHERE f.id = over.id RETURNING f.token)
    SELECT max(gone.token), count(*) INTO highest, deleted FROM gone;
  IF highest IS NOT NULL THEN
    UPDATE "public"."holdfast_locks_floor" AS u SET token = greatest(u.token, highest);
  END IF;
  WITH over AS (SELECT m.attempt FROM "public"."holdfast_locks_marks" m
      WHERE m.kept_until < now_at - interval '10 seconds' LIMIT 1000 FOR UPDATE SKIP LOCKED),
    gone AS (DELETE FROM "public"."holdfast_locks_marks" m USING over WHERE m.attempt = over.attempt RETURNING 1)
    SELECT count(*) INTO more FROM gone;
  deleted := greatest(deleted, more);
  WITH over AS (SELECT t.attempt FROM "public"."holdfast_locks_tickets" t
      WHERE t.deadline < now_at OR NOT EXISTS (SELECT FROM "public"."holdfast_locks_sidecars" s
        WHERE s.sidecar = t.sidecar AND s.present_until > now_at - interval '10 seconds') LIMIT 1000 FOR UPDATE SKIP LOCKED),
    gone AS (DELETE FROM "public"."holdfast_locks_tickets" t USING over WHERE t.attempt = over.attempt RETURNING 1)
    SELECT count(*) INTO more FROM gone;
  deleted := greatest(deleted, more);
  WITH over AS (SELECT s.sidecar FROM "public"."holdfast_locks_sidecars" s
      WHERE s.present_until < now_at - interval '1 minute' LIMIT 1000 FOR UPDATE SKIP LOCKED),
    gone AS (DELETE FROM "public"."holdfast_locks_sidecars" s USING over WHERE s.sidecar = over.sidecar RETURNING 1)
    SELECT count(*) INTO more FROM gone;
  deleted := greatest(deleted, more);
END
$holdfast$;

GRANT USAGE ON SCHEMA "public" TO holdfast;
GRANT SELECT, INSERT, UPDATE, DELETE ON "public"."holdfast_locks", "public"."holdfast_locks_marks", "public"."holdfast_locks_tickets", "public"."holdfast_locks_sidecars" TO holdfast;
GRANT SELECT, UPDATE ON "public"."holdfast_locks_floor" TO holdfast;
GRANT EXECUTE ON FUNCTION
  "public"."holdfast_locks_acquire_v1"(bytea, bytea, bytea, uuid, bigint, bigint, integer, bigint, integer),
  "public"."holdfast_locks_renew_v1"(bytea, bytea, bigint, bigint, bigint, integer),
  "public"."holdfast_locks_release_v1"(bytea, bytea, bytea, bigint, uuid, bigint, integer, bigint, integer),
  "public"."holdfast_locks_withdraw_v1"(bytea, bytea, uuid, bigint, integer),
  "public"."holdfast_locks_ask_v1"(bytea, bytea, bytea, uuid, bigint, bigint, integer, bigint, integer, uuid, bigint, bigint, bigint),
  "public"."holdfast_locks_open_v1"(uuid, bigint, bigint, integer),
  "public"."holdfast_locks_refresh_v1"(uuid, bigint, bytea[], bigint, integer),
  "public"."holdfast_locks_sweep_v1"() TO holdfast;
