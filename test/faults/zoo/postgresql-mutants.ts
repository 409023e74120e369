import type { StoreMutant } from './store-mutants';

const PIECES = 'stores/postgresql/function-pieces.ts';
const LOCKS = 'stores/postgresql/lock-functions.ts';
const QUEUES = 'stores/postgresql/queue-functions.ts';
const CALLS = 'stores/postgresql/lock-calls.ts';

const CONFORMANCE = 'test/conformance/postgresql-store.test.ts';
const FAULTS = 'test/postgresql/faults.test.ts';
const LATE = 'test/postgresql/late-sends.test.ts';
const CLOCK = 'test/postgresql/clock.test.ts';

/** Mistakes of `lock.postgresql`. */
export const POSTGRESQL_MUTANTS: readonly StoreMutant[] = [
  {
    name: "an expiry that is compared with the transaction's time",
    first: [FAULTS, 'delays a grant, whose lease and token count from after the wait'],
    changes: [
      {
        file: PIECES,
        piece: 'now_at := clock_timestamp();\n  held',
        by: 'now_at := now();\n  held',
      },
    ],
  },
  {
    name: "an expiry by the sidecar's clock",
    first: [CLOCK, 'keeps leases for as long as they were asked for'],
    changes: [
      {
        file: 'stores/postgresql/server-facts.ts',
        piece: 'return toNumber(oneRow(await runner.run({ text }))[0]);',
        by: 'await runner.run({ text });\n  return Date.now();',
      },
    ],
  },
  {
    name: 'unlock without owner check',
    first: [CONFORMANCE, 'stays where another tries to release it'],
    changes: [
      {
        file: LOCKS,
        piece:
          "    IF l.owner <> p_owner OR l.token <> p_token THEN reply := 'held_by_other'; RETURN; END IF;\n  END IF;",
        by: '  END IF;',
      },
      { file: LOCKS, piece: '(p_owner IS NULL OR l.owner = p_owner) AND ', by: '' },
    ],
  },
  {
    name: 'a release of whatever grant its owner holds',
    first: [CONFORMANCE, 'by token leaves a later grant'],
    changes: [
      {
        file: LOCKS,
        piece:
          "    IF l.owner <> p_owner OR l.token <> p_token THEN reply := 'held_by_other'; RETURN; END IF;\n  END IF;",
        by: '  END IF;',
      },
      { file: LOCKS, piece: ' AND (p_token IS NULL OR l.token = p_token) THEN', by: ' THEN' },
    ],
  },
  {
    name: 'a release that looks at the lock before its mark',
    first: [FAULTS, 'of an unlock is found out, too'],
    changes: [{ file: LOCKS, piece: 'IF mark.released THEN', by: 'IF false THEN' }],
  },
  {
    name: 'a repeated try that is refused by its own grant',
    first: [CONFORMANCE, 'that acquired is recognised'],
    changes: [
      {
        file: LOCKS,
        piece: 'IF held AND l.attempt = p_attempt AND l.owner = p_owner THEN',
        by: 'IF false THEN',
      },
    ],
  },
  {
    name: 'a repeated try that is granted twice',
    first: [CONFORMANCE, 'that is recognised keeps its token'],
    changes: [
      {
        file: LOCKS,
        piece: 'AND l.owner = p_owner THEN\n${keepGrant(names)}',
        by: 'AND l.owner = p_owner THEN\n${grant(names)}',
      },
    ],
  },
  {
    name: 'a first send that takes a lock after its repetition was answered',
    first: [LATE, 'takes nothing once its repetition was answered'],
    changes: [
      {
        file: PIECES,
        piece: "IF mark.sends > p_number THEN reply := 'superseded'; RETURN; END IF;",
        by: '',
      },
    ],
  },
  {
    name: 'a send that takes effect after its time (no notAfter)',
    first: [LATE, 'does nothing after its time'],
    changes: [
      {
        file: PIECES,
        piece:
          "IF now_at > to_timestamp(p_not_after / 1000.0) THEN reply := 'stale'; RETURN; END IF;",
        by: '',
      },
    ],
  },
  {
    name: 'a withdrawal that forgets the attempt',
    first: [FAULTS, 'for good is withdrawn, and what arrives after that has no effect'],
    changes: [{ file: LOCKS, piece: '${putMark(names, String(WITHDRAWN_NUMBER))}', by: '' }],
  },
  {
    name: 'a withdrawal that frees nothing',
    first: [CONFORMANCE, 'is undone when it is withdrawn'],
    changes: [
      { file: LOCKS, piece: 'IF held AND l.attempt = p_attempt THEN', by: 'IF false THEN' },
    ],
  },
  {
    name: 'a withdrawal that frees a later lock of the same owner',
    first: [CONFORMANCE, 'takes nothing of a later lock of the same owner'],
    changes: [{ file: LOCKS, piece: 'IF held AND l.attempt = p_attempt THEN', by: 'IF held THEN' }],
  },
  {
    name: 'a token that is not the greatest',
    first: [FAULTS, 'rise though rows are deleted and the clock has been ahead'],
    changes: [
      {
        file: PIECES,
        piece:
          'token = greatest(u.token + 1, floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint)',
        by: 'token = floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint',
      },
    ],
  },
  {
    name: 'a token that counts from where the row begins',
    first: [CLOCK, 'rise though the tables were lost'],
    changes: [
      {
        file: PIECES,
        piece:
          'token = greatest(u.token + 1, floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint)',
        by: 'token = u.token + 1',
      },
    ],
  },
  {
    name: 'a sweep that loses tokens',
    first: [FAULTS, 'rise though rows are deleted and the clock has been ahead'],
    changes: [{ file: QUEUES, piece: 'IF highest IS NOT NULL THEN', by: 'IF false THEN' }],
  },
  {
    name: 'a sweep that deletes what is held',
    first: [LATE, 'leaves what is held'],
    changes: [
      {
        file: QUEUES,
        piece: "f.ends_at < now_at - interval '1 minute'",
        by: "f.ends_at < now_at + interval '1 minute'",
      },
    ],
  },
  {
    name: 'a sweep that deletes marks that are needed',
    first: [LATE, 'finds its mark after a sweep'],
    changes: [{ file: QUEUES, piece: "m.kept_until < now_at - interval '10 seconds'", by: 'true' }],
  },
  {
    name: 'a renewal that revives',
    first: [CONFORMANCE, 'revives no lease that is over'],
    changes: [
      {
        file: LOCKS,
        piece: 'IF l.owner IS NULL OR l.ends_at <= now_at THEN reply',
        by: 'IF l.owner IS NULL THEN reply',
      },
    ],
  },
  {
    name: 'a renewal that shortens',
    first: [CONFORMANCE, 'never shortens a lease'],
    changes: [
      {
        file: LOCKS,
        piece: "IF now_at + p_ttl * interval '1 millisecond' > l.ends_at THEN",
        by: 'IF true THEN',
      },
    ],
  },
  {
    name: 'a renewal of whatever grant its owner holds',
    first: [CONFORMANCE, 'touches no later grant of the same owner'],
    changes: [
      {
        file: LOCKS,
        piece:
          "  IF l.owner <> p_owner OR l.token <> p_token THEN reply := 'held_by_other'; RETURN; END IF;\n  IF now_at + p_ttl",
        by: "  IF l.owner <> p_owner THEN reply := 'held_by_other'; RETURN; END IF;\n  IF now_at + p_ttl",
      },
    ],
  },
  {
    name: 'a late acquire that shortens a renewed lease',
    first: [CONFORMANCE, 'is not shortened by the acquire that comes after it'],
    changes: [
      {
        file: PIECES,
        piece: "SET ends_at = greatest(u.ends_at, now_at + p_ttl * interval '1 millisecond')",
        by: "SET ends_at = now_at + p_ttl * interval '1 millisecond'",
      },
    ],
  },
  {
    name: 'a first look that takes a lease that is over for one that stands',
    first: [CONFORMANCE, 'leaves the lock free'],
    changes: [
      {
        file: LOCKS,
        piece: 'f.owner IS NOT NULL AND f.ends_at > clock_timestamp()',
        by: 'f.owner IS NOT NULL',
      },
    ],
  },
  {
    name: 'a lease that is counted from its reply',
    first: [LATE, 'has a lease that counts from when it was sent'],
    changes: [
      {
        file: CALLS,
        piece: 'const validUntilMs = toValidUntil(sentAtMs, this.leaseMs);',
        by: 'const validUntilMs = toValidUntil(Math.max(sentAtMs, performance.now()), this.leaseMs);',
      },
    ],
  },
  {
    name: 'a grant that is confirmed before it is on disk',
    first: [LATE, 'is on disk when it is confirmed'],
    changes: [
      {
        file: PIECES,
        piece:
          "  IF current_setting('synchronous_commit') = 'off' THEN\n    PERFORM set_config('synchronous_commit', 'on', true);\n  END IF;",
        by: "  PERFORM set_config('synchronous_commit', 'off', true);",
      },
    ],
  },
  {
    name: 'a TryLock that slips in before the head',
    first: [CONFORMANCE, 'nobody slips in'],
    changes: [
      {
        file: LOCKS,
        piece: 'IF head.attempt IS NOT NULL AND head.attempt <> p_attempt THEN',
        by: 'IF false THEN',
      },
    ],
  },
  {
    name: 'a ticket head that is skipped',
    first: [CONFORMANCE, 'are served in the order'],
    changes: [
      {
        file: QUEUES,
        piece: 'is_first := head.attempt IS NULL OR head.attempt = p_attempt;',
        by: 'is_first := true;',
      },
    ],
  },
  {
    name: 'a ticket that stays after its grant',
    first: [CONFORMANCE, 'are served in the order'],
    changes: [
      {
        file: QUEUES,
        piece: '    DELETE FROM ${tickets} t WHERE t.attempt = p_attempt;\n    RETURN;',
        by: '    RETURN;',
      },
    ],
  },
  {
    name: 'a dead head without end',
    first: [LATE, 'are passed by once it is not present any more'],
    changes: [{ file: PIECES, piece: ' AND s.present_until > now_at)', by: ')' }],
  },
  {
    name: 'a session whose end nobody notices',
    first: [LATE, 'are said to be gone by its next ask'],
    changes: [
      { file: QUEUES, piece: "IF NOT FOUND THEN reply := 'lapsed'; RETURN; END IF;", by: '' },
      {
        file: QUEUES,
        piece: 'IF s.session IS DISTINCT FROM p_session OR s.present_until <= now_at THEN',
        by: 'IF false THEN',
      },
    ],
  },
  {
    name: 'a lost wake-up without a look',
    first: [CONFORMANCE, 'the head is woken'],
    changes: [
      {
        file: PIECES,
        piece: 'IF head.attempt IS NOT NULL AND pg_notification_queue_usage() < 0.9 THEN',
        by: 'IF false THEN',
      },
    ],
  },
];
