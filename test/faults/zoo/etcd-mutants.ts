import type { StoreMutant } from './store-mutants';

const TAKE = 'stores/etcd/take.ts';
const RELEASE = 'stores/etcd/release.ts';
const WITHDRAW = 'stores/etcd/withdraw.ts';
const RENEW = 'stores/etcd/renew.ts';
const QUEUE = 'stores/etcd/etcd-queue.ts';

const CONFORMANCE = 'test/conformance/etcd-store.test.ts';
const LATE = 'test/stores/etcd/late-sends.test.ts';
const LOST = 'test/etcd/lost-replies.test.ts';
const WAITING = 'test/etcd/waiting.test.ts';

/** Mistakes of `lock.etcd`. */
export const ETCD_MUTANTS: readonly StoreMutant[] = [
  {
    name: 'a transaction that does not ask whether the lock is free',
    first: [CONFORMANCE, 'goes to exactly one of 50'],
    changes: [
      {
        file: TAKE,
        piece:
          "      { key, target: 'CREATE', createRevision: '0' },\n      // True if the range has no key",
        by: '      // True if the range has no key',
      },
    ],
  },
  {
    name: 'others that are not refused while somebody waits',
    first: [CONFORMANCE, 'nobody slips in'],
    changes: [
      { file: TAKE, piece: 'if (held !== undefined || ahead > 0)', by: 'if (held !== undefined)' },
      {
        file: TAKE,
        piece: "      { ...precedence, target: 'CREATE', createRevision: '0' },\n",
        by: '',
      },
    ],
  },
  {
    name: 'a queue that is looked at before the transaction only',
    first: [LATE, 'takes nothing that somebody waits for by then'],
    changes: [
      {
        file: TAKE,
        piece: "      { ...precedence, target: 'CREATE', createRevision: '0' },\n",
        by: '',
      },
    ],
  },
  {
    name: 'a repeated try that is refused by its own grant',
    first: [CONFORMANCE, 'that acquired is recognised'],
    changes: [
      {
        file: TAKE,
        piece: 'parseValue(held.value).attemptId === call.attempt.id',
        by: 'parseValue(held.value).attemptId === undefined',
      },
    ],
  },
  {
    name: 'an earlier send that is not revoked before a later one is answered',
    first: [LATE, 'takes nothing once a later send was'],
    changes: [
      {
        file: TAKE,
        piece: '      await revokeLease(link, id);\n      record.leases.delete(id);',
        by: '      record.leases.delete(id);',
      },
    ],
  },
  {
    name: 'a send that goes on after it was withdrawn',
    first: [LATE, 'takes nothing if only its lease was sent'],
    changes: [
      {
        file: TAKE,
        piece: '  if (!isCurrent()) {\n    dropLease(link, lease.id);',
        by: "  if (lease.id === '') {\n    dropLease(link, lease.id);",
      },
    ],
  },
  {
    name: 'a token from another revision',
    first: [CONFORMANCE, 'shows owner, token and what is left'],
    changes: [
      {
        file: TAKE,
        piece: 'toToken(answer.header.revision)',
        by: 'toToken(String(Number(answer.header.revision) + 1))',
      },
    ],
  },
  {
    name: 'a ticket that stays after its grant',
    first: [CONFORMANCE, 'are served in the order'],
    changes: [
      {
        file: TAKE,
        piece: 'ticket === undefined ? [] : [{ requestDeleteRange: { key: ticket } }]',
        by: '[]',
      },
    ],
  },
  {
    name: 'unlock without owner check',
    first: [CONFORMANCE, 'stays where another tries to release it'],
    changes: [
      {
        file: RELEASE,
        piece: '(owner === undefined || parseValue(held.value).owner === owner)',
        by: "(owner === undefined || owner !== '')",
      },
    ],
  },
  {
    name: 'a release of whatever grant its owner holds',
    first: [CONFORMANCE, 'by token leaves a later grant'],
    changes: [
      {
        file: RELEASE,
        piece: 'fencingToken === undefined || held.createRevision === String(fencingToken)',
        by: "fencingToken === undefined || held.createRevision !== ''",
      },
    ],
  },
  {
    name: 'a release that deletes whatever it finds',
    first: [LATE, 'releases no later lock'],
    changes: [
      {
        file: RELEASE,
        piece: "[...toCompare(key, open), { key: trace, target: 'CREATE', createRevision: '0' }]",
        by: "[{ key: trace, target: 'CREATE', createRevision: '0' }]",
      },
    ],
  },
  {
    name: 'a release without its trace',
    first: [LATE, 'is recognised if only its answer was lost: a release'],
    changes: [
      { file: RELEASE, piece: '...(open.hasTrace ? [leaveTrace] : [])', by: '' },
      { file: RELEASE, piece: 'if (!open.hasTrace || (await', by: 'if ((await' },
    ],
  },
  {
    name: 'a withdrawal that does not revoke',
    first: [LATE, 'takes nothing once it was withdrawn'],
    changes: [
      {
        file: WITHDRAW,
        piece: '    ...[...record.leases.keys()].map((id) => revokeLease(link, id)),\n',
        by: '',
      },
    ],
  },
  {
    name: 'a withdrawal that forgets what a renewal has moved',
    first: [CONFORMANCE, 'a grant is undone by its withdrawal, a renewed one too'],
    changes: [
      {
        file: WITHDRAW,
        piece: '      success: [{ requestDeleteRange: { key } }],\n    }),\n  ]);',
        by: '      success: [],\n    }),\n  ]);',
      },
    ],
  },
  {
    name: 'a ticket that arrives after its waiter has left',
    first: [LOST, 'leaves no ticket behind'],
    changes: [
      {
        file: 'stores/etcd/ask.ts',
        piece: "        { key: left, target: 'CREATE', createRevision: '0' },\n",
        by: '',
      },
    ],
  },
  {
    name: 'a withdrawn release that takes effect',
    first: [LATE, 'releases nothing once the release was withdrawn'],
    changes: [
      {
        file: WITHDRAW,
        piece:
          'success: [{ requestPut: { key: trace, value: TRACE.withdrawn, lease: open.lease } }]',
        by: 'success: []',
      },
    ],
  },
  {
    name: 'a renewal that revives',
    first: [CONFORMANCE, 'revives no lease that is over'],
    changes: [
      {
        file: RENEW,
        piece: "if (held === undefined) return { status: 'not_found' };",
        by: "if (held === undefined) {\n      const { id: lease, validUntilMs } = await grantLease(link, call.ttlMs);\n      const value = Buffer.from(`${'0'.repeat(32)}:${call.owner}`);\n      await link.call(link.api.txn, { compare: [], success: [{ requestPut: { key, value, lease } }] });\n      return { status: 'renewed', grant: { fencingToken: call.fencingToken ?? 1, validUntilMs } };\n    }",
      },
    ],
  },
  {
    name: 'a renewal of whatever grant its owner holds',
    first: [CONFORMANCE, 'touches no later grant of the same owner'],
    changes: [
      {
        file: RENEW,
        piece: 'fencingToken === undefined || held.createRevision === String(fencingToken)',
        by: "fencingToken === undefined || held.createRevision !== ''",
      },
    ],
  },
  {
    name: 'a renewal that shortens',
    first: [CONFORMANCE, 'never shortens a lease'],
    changes: [
      { file: RENEW, piece: 'left.leftMs >= toSeconds(ttlMs) * 1000', by: 'left.leftMs < 0' },
    ],
  },
  {
    name: 'a late renewal that shortens what was renewed since',
    first: [LATE, 'shortens no lease that was renewed'],
    changes: [{ file: RENEW, piece: "      { key, target: 'LEASE', lease: before },\n", by: '' }],
  },
  {
    name: 'a lease that is shorter than asked',
    first: [CONFORMANCE, 'says until when it lasts, and the store keeps it no shorter'],
    changes: [
      {
        file: 'stores/etcd/etcd-leases.ts',
        piece: 'toValidUntil(sentAtMs, Number(TTL) * 1000)',
        by: 'toValidUntil(sentAtMs, Number(TTL) * 1000 + 3000)',
      },
    ],
  },
  {
    name: 'a session whose end nobody notices',
    first: [WAITING, 'has a ticket again when the session of its sidecar has ended'],
    changes: [{ file: QUEUE, piece: 'if (!isAlive) this.#lapse(session);', by: '' }],
  },
  {
    name: 'a ticket that stays after the deadline of its wait',
    first: [CONFORMANCE, 'are passed by once the deadline of the head is over'],
    changes: [
      { file: QUEUE, piece: '        void this.#dropTicket(call.attempt);', by: '' },
      {
        file: QUEUE,
        piece: 'for (const attempt of this.#tickets.overdue) void this.#dropTicket(attempt);',
        by: '',
      },
    ],
  },
  {
    name: 'a lost wake-up without a look',
    first: [WAITING, 'has it when it is released after the leader was killed'],
    changes: [
      {
        file: 'stores/etcd/queue-looks.ts',
        piece: "responses[index]?.responseRange?.count === '0'",
        by: "responses[index]?.responseRange?.count === ''",
      },
      {
        file: QUEUE,
        piece: 'onChange: (name) => void this.#lookAgain(name),',
        by: 'onChange: () => undefined,',
      },
    ],
  },
];
