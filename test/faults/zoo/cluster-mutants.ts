import type { StoreMutant } from './store-mutants';
import { FAULT_RUN } from './store-suites';

const CONNECTION = 'stores/redis/cluster/cluster-connection.ts';
const SPELLING = 'stores/redis/cluster/cluster-spelling.ts';
const SLOTS = 'stores/redis/cluster/slots.ts';
const REDIRECTS = 'stores/redis/cluster/redirects.ts';
const WAKE_UPS = 'stores/redis/cluster/cluster-wake-ups.ts';
const PIECES = 'stores/redis/script-pieces.ts';

const CONFORMANCE = 'test/cluster/conformance.test.ts';
const SLOT_TESTS = 'test/cluster/slots.test.ts';
const MOVING = 'test/cluster/moving.test.ts';
const ACKNOWLEDGED = 'test/cluster/acknowledged.test.ts';

/** Mistakes of `lock.redis` on a Redis Cluster, beside those that it shares with one Redis. */
export const CLUSTER_MUTANTS: readonly StoreMutant[] = [
  {
    name: 'side keys in another slot',
    first: [SLOT_TESTS, 'are in the slot of the lock'],
    changes: [{ file: SPELLING, piece: 'tags[slotOf(lockKey)]', by: 'tags[slotOf(lockKey) ^ 1]' }],
  },
  {
    name: 'the braces of a lock taken for those of its side keys',
    first: [SLOT_TESTS, 'are in the slot of the lock'],
    changes: [
      {
        file: SPELLING,
        piece: "tags[slotOf(lockKey)] ?? ''",
        by: "lockKey.includes('{') ? '' : tags[slotOf(lockKey)] ?? ''",
      },
    ],
  },
  {
    name: 'a later pair of braces that counts if the first is empty',
    first: [SLOT_TESTS, 'is the one that Redis says'],
    changes: [
      {
        file: SLOTS,
        piece: 'return end > start ? key.slice(start, end) : key;',
        by: 'return /\\{([^}]+)\\}/.exec(key)?.[1] ?? key;',
      },
    ],
  },
  {
    name: 'a counter of tokens for all slots',
    first: [CONFORMANCE, 'a free lock is acquired'],
    changes: [
      {
        file: PIECES,
        piece: "redis.pcall('set', ${luaTag}'${TOKEN_KEY}', token, 'get')",
        by: "redis.call('set', '${TOKEN_KEY}', token, 'get')",
      },
    ],
  },
  {
    name: 'MOVED answered by a new attempt',
    first: [MOVING, ''],
    changes: [
      {
        file: REDIRECTS,
        piece: '    return { error: movedAway(message, error) };',
        by: "    return { error: new StoreError(message, { kind: 'unavailable', outcome: 'not-applied', cause: error }) };",
      },
      {
        file: REDIRECTS,
        piece: "import { movedAway, onTheMove } from '../../attempts/elsewhere';",
        by: "import { StoreError } from '../../../lock/lock-store';\nimport { onTheMove } from '../../attempts/elsewhere';",
      },
    ],
  },
  {
    name: 'a MOVED that the map does not follow',
    first: [MOVING, ''],
    changes: [
      {
        file: CONNECTION,
        piece: 'if (move?.master !== undefined) this.#move(move.slot, move.master);',
        by: '',
      },
      {
        file: CONNECTION,
        piece: 'if (move !== undefined || isUnserved(error)) this.#watch.hurry();',
        by: '',
      },
    ],
  },
  {
    name: 'a slot on the move that is taken for an error of the script',
    first: [MOVING, 'makes calls for its locks wait'],
    changes: [{ file: REDIRECTS, piece: '/^(?:ASK|TRYAGAIN) |non local key/', by: '/^never /' }],
  },
  {
    name: 'ASK followed with half of the keys',
    first: [MOVING, 'refuses nothing that is held there'],
    changes: [
      {
        file: 'stores/redis/script-runner.ts',
        piece: 'if (isNoPermission(error) || isUnknownCommand(error)) this.#hashesAllowed = false;',
        by: "if (/^(?:ASK|TRYAGAIN) /.test(String((error as Error).message))) {\n        return client.sendCommand(['ASKING']).then(() => evalWhole(client, call));\n      }\n      if (isNoPermission(error) || isUnknownCommand(error)) this.#hashesAllowed = false;",
      },
    ],
  },
  {
    name: 'a withdrawal that is not sent where its slot has gone',
    first: [MOVING, 'is withdrawn where it is now'],
    changes: [
      {
        file: CONNECTION,
        piece: 'if (link !== undefined) this.#options.onLink(link);',
        by: '',
      },
    ],
  },
  {
    name: 'a companion whose lock was moved that counts for nothing',
    first: [MOVING, 'keeps its grant'],
    changes: [
      {
        file: PIECES,
        piece: 'math.abs(ends - end_of(companion)) > ${APART_MS} then',
        by: "ends ~= tonumber(string.match(note, ':(%d+)')) then",
      },
    ],
  },
  {
    name: 'a list of one master',
    first: [MOVING, 'are listed from all masters'],
    changes: [
      {
        file: 'stores/redis/redis-views.ts',
        piece: 'const next = isLast ? links[named + 1] : undefined;',
        by: 'const next = isLast ? links[links.length] : undefined;',
      },
    ],
  },
  {
    name: 'a list without the masters that are away',
    first: [MOVING, 'takes only its own slots away'],
    changes: [
      {
        file: CONNECTION,
        piece: 'if (!this.#isComplete) throw this.#incomplete();\n    return',
        by: 'return',
      },
    ],
  },
  {
    name: 'wake-ups on a channel of another slot',
    first: [CONFORMANCE, 'the head is woken'],
    changes: [
      {
        file: PIECES,
        piece: "redis.call(${luaPublish}, ${luaTag}'${CHANNEL_PREFIX}'",
        by: "redis.call('publish', '${CHANNEL_PREFIX}'",
      },
    ],
  },
  {
    name: 'wake-ups that stay at the old master',
    first: [MOVING, 'is handed on to its waiters'],
    changes: [
      {
        file: WAKE_UPS,
        piece: '        // The old master says where the slot is now.\n        this.#follow(tag);',
        by: '',
      },
      {
        file: WAKE_UPS,
        piece: 'if (tags.has(tag)) this.#follow(tag);',
        by: 'if (tags.has(tag)) continue;',
      },
    ],
  },
  {
    name: 'a presence in one slot only',
    first: [CONFORMANCE, 'are served in the order'],
    changes: [
      {
        file: PIECES,
        piece: "redis.call('exists', ${luaTag}'${PRESENCE_PREFIX}'",
        by: "redis.pcall('exists', '${PRESENCE_PREFIX}'",
      },
    ],
  },
  {
    name: 'a topology as the oldest answer tells it',
    first: FAULT_RUN,
    changes: [
      {
        file: 'stores/redis/cluster/topology.ts',
        piece: 'score(other) - score(one)',
        by: 'score(one) - score(other)',
      },
    ],
  },
  {
    name: 'a grant that is confirmed without its replicas',
    first: [ACKNOWLEDGED, 'a lock that no replica has is not taken'],
    changes: [
      {
        file: 'stores/redis/acknowledged.ts',
        piece: 'if (failure !== undefined) throw failure;',
        by: '',
      },
    ],
  },
  {
    name: 'a renewal that is confirmed without its replicas',
    first: [ACKNOWLEDGED, 'a renewal that no replica has is not confirmed'],
    changes: [
      {
        file: 'stores/redis/acknowledged.ts',
        piece: "return typeof reply === 'object' && reply !== null && 'fencingToken' in reply;",
        by: "return typeof reply === 'object' && reply !== null && 'fencingToken' in reply && !('leftMs' in reply);",
      },
    ],
  },
  {
    name: 'a waiter that is granted what no replica has',
    first: [ACKNOWLEDGED, 'a waiter gets no lock that no replica has'],
    changes: [
      {
        file: 'stores/redis/redis-store.ts',
        piece: 'attempts, grants, commands, spelling, toWakeUps',
        by: 'attempts, grants: attempts, commands, spelling, toWakeUps',
      },
      {
        file: 'stores/redis/redis-store.ts',
        piece: '    const { grants } = this.#calls;\n',
        by: '',
      },
    ],
  },
];
