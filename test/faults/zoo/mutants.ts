/** A piece of the sources, and what stands there instead. */
export interface Change {
  /** Below src/. */
  readonly file: string;
  readonly piece: string;
  readonly by: string;
}

/** A mistake in the sources, as somebody might make it. */
export interface Mutant {
  readonly name: string;
  /** The probe that is tried first, so that not all are run; the others follow where it finds nothing. */
  readonly first: string;
  readonly changes: readonly Change[];
}

/** One change of one file. */
const mutant = (
  { name, first }: Pick<Mutant, 'name' | 'first'>,
  file: string,
  [piece, by]: readonly [string, string],
): Mutant => ({ name, first, changes: [{ file, piece, by }] });

const LEASES = 'stores/redis/lease-scripts.ts';
const RELEASES = 'stores/redis/release-scripts.ts';
const QUEUES = 'stores/redis/queue-scripts.ts';
const PIECES = 'stores/redis/script-pieces.ts';
const WAITERS = 'lock/waiting/store-waiters.ts';
const HOLDS = 'lock/holds/hold-room.ts';

const NO_HOLDER =
  "local holder = redis.call('get', key)\nif not holder then return ${REPLY.notFound} end";

/** Mistakes of the native API: what waits, renews, holds, and counts tokens. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'a waiter that is granted after its deadline',
    first: 'a grant that is answered after the deadline is none',
    changes: [
      {
        file: WAITERS,
        piece: "if (end.state !== 'failed') this.#settle(waiter, { state: 'over' });",
        by: "if (end.state !== 'failed') this.#settle(waiter, end.state === 'granted' ? end : { state: 'over' });",
      },
      {
        file: 'stores/attempts/prepare-ask.ts',
        piece: 'callTimeoutMs: Math.min(callTimeoutMs, Math.floor(leftMs))',
        by: 'callTimeoutMs',
      },
    ],
  },
  mutant(
    {
      name: 'a wait that may have been granted and says that it did nothing',
      first: 'a wait that may have been granted does not say that it did nothing',
    },
    WAITERS,
    ['waiter.isUnsure || waiter.isSent', 'false'],
  ),
  mutant(
    { name: 'a ghost ticket of an absent caller', first: 'a caller that leaves leaves no ticket' },
    WAITERS,
    ['if (waiter.mayStand) this', 'if (false) this'],
  ),
  {
    name: 'a renewal after the release',
    first: 'a renewal prolongs the grant that it names, and nothing else',
    changes: [
      {
        file: RELEASES,
        piece: "if freed then\n  redis.call('del', KEYS[1], KEYS[2])",
        by: "if freed then\n  redis.call('del', KEYS[1])",
      },
      {
        file: LEASES,
        piece: NO_HOLDER,
        by: "local holder = redis.call('get', key)\nif not holder then\n  local note = redis.call('get', companion)\n  if not note then return ${REPLY.notFound} end\n  redis.call('set', key, owner, 'px', ARGV[2])\n  return {${REPLY.renewed}, string.match(note, ':(%d+)$') or '0', tonumber(ARGV[2])}\nend",
      },
    ],
  },
  mutant(
    {
      name: 'a renewal that revives',
      first: 'a renewal prolongs the grant that it names, and nothing else',
    },
    LEASES,
    [
      NO_HOLDER,
      "local holder = redis.call('get', key)\nif not holder then\n  redis.call('set', key, owner, 'px', ARGV[2])\n  return {${REPLY.renewed}, ARGV[4] ~= '' and ARGV[4] or '0', tonumber(ARGV[2])}\nend",
    ],
  ),
  mutant(
    {
      name: 'a renewal by a stale companion',
      first: 'a renewal touches no lock that a daprd has taken since',
    },
    LEASES,
    [
      '${grant(spelling)}\nlocal ends, apart = end_of(key)\nlocal attempt, token',
      "${grant(spelling).replace(' or math.abs(ends - tonumber(expiry)) > apart', '')}\nlocal ends, apart = end_of(key)\nlocal attempt, token",
    ],
  ),
  mutant(
    {
      name: 'a renewal of whatever grant its owner holds',
      first: 'a renewal prolongs the grant that it names, and nothing else',
    },
    LEASES,
    ["if ARGV[4] ~= '' and tonumber(ARGV[4]) ~= token then", 'if false then'],
  ),
  mutant(
    {
      name: 'a renewal that shortens',
      first: 'a renewal prolongs the grant that it names, and nothing else',
    },
    LEASES,
    ['if later > ends then', 'if true then'],
  ),
  mutant(
    {
      name: 'a late ask that shortens a renewed lease',
      first: 'a repeated acquire shortens nothing',
    },
    PIECES,
    ['ends = math.max(ends, ends_before)', 'ends = now + (ends - now)'],
  ),
  mutant(
    {
      name: 'a second acquire that takes the lock for nobody',
      first: 'who is refused holds nothing',
    },
    'lock/native/taking.ts',
    [
      'if (!result.acquired) return undefined;',
      'if (!result.acquired) {\n        const again = { ...call, attempt: createAttempt() };\n        setTimeout(() => void leases.acquire(again, signal).catch(() => undefined), 50);\n        return undefined;\n      }',
    ],
  ),
  mutant(
    {
      name: 'a token that is drawn before the grant',
      first: 'a token is the one that the store knows',
    },
    'stores/redis/lock-commands.ts',
    [
      'return this.#scripts.run(client, {\n      script: this.#acquire,',
      "return (async () => {\n      const [seconds, micros] = await client.sendCommand<[string, string]>(['TIME']);\n      const fencingToken = Number(seconds) * 1_000_000 + Number(micros);\n      const reply = await this.#granted(client, call, stamp);\n      return typeof reply === 'object' ? { fencingToken } : reply;\n    })();\n  }\n\n  #granted(client: RedisClient, call: TryLockCall, stamp: SendStamp): Promise<AcquireReply> {\n    return this.#scripts.run(client, {\n      script: this.#acquire,",
    ],
  ),
  mutant(
    { name: 'a token that falls after FLUSHALL', first: 'a token rises over a flush' },
    PIECES,
    ["token = string.format('%s%06d', time[1], time[2])", "token = '1'"],
  ),
  mutant(
    { name: 'a token that lost digits', first: 'a token is the one that the store knows' },
    LEASES,
    [
      ".. ':' .. token, unit, span)\nreturn token",
      ".. ':' .. token, unit, span)\nreturn tostring(tonumber(token))",
    ],
  ),
  mutant(
    {
      name: 'a queue that has the name of a lock',
      first: 'a lock that is named as a queue is, and its neighbour, stand beside each other',
    },
    'stores/redis/side-keys.ts',
    ['`||queue${END}`', '`||queue`'],
  ),
  mutant(
    {
      name: 'a lost wake-up without a look',
      first: 'a waiter finds a lock that ended without a word',
    },
    WAITERS,
    ['for (const key of freeKeys) {', 'for (const key of [] as string[]) {'],
  ),
  mutant(
    { name: 'a head that leaves and wakes nobody', first: 'a head that leaves wakes the next' },
    RELEASES,
    ['if held or led then', 'if held then'],
  ),
  mutant(
    { name: 'a dead head without end', first: 'dead tickets are passed by, and their queue ends' },
    PIECES,
    [
      "'${PRESENCE_PREFIX}' .. sidecar .. '||') == 1",
      "'${PRESENCE_PREFIX}' .. sidecar .. '||') >= 0",
    ],
  ),
  mutant(
    {
      name: 'a ticket that stays after its grant',
      first: 'dead tickets are passed by, and their queue ends',
    },
    QUEUES,
    ["if place then redis.call('zrem', queue, ticket) end", ''],
  ),
  {
    name: 'a queue that is left behind',
    first: 'a queue whose sidecar was lost ends',
    changes: [
      { file: QUEUES, piece: "redis.call('pexpire', queue, ${TICKET_LIFE_MS})", by: '' },
      {
        file: QUEUES,
        piece:
          "redis.call('pexpire', ${spelling.luaTag}KEYS[index] .. '${QUEUE_SUFFIX}', ${TICKET_LIFE_MS})",
        by: '',
      },
    ],
  },
  mutant(
    {
      name: 'a release that fails after its DEL',
      first: 'a release that may write no marker releases, and says so',
    },
    RELEASES,
    ['local run = freed and redis.pcall or redis.call', 'local run = redis.call'],
  ),
  mutant(
    {
      name: '`renewed` written after the end',
      first: 'a hold that met its end is lost, whatever a renewal has done',
    },
    HOLDS,
    [
      'hold.failure = error;',
      'hold.failure = error;\n    hold.endMs = this.#clock.now() + hold.subject.ttlMs;',
    ],
  ),
  mutant({ name: 'a release on shutdown', first: 'a sidecar that stops releases nothing' }, HOLDS, [
    'this.#abandon(hold, new HoldStoppedError());',
    "this.#over(hold, { outcome: 'released' }, new HoldStoppedError());\n    this.#release(hold);",
  ]),
  mutant(
    {
      name: 'a release on a missed PING',
      first: 'a client that falls silent keeps its lock until it ends',
    },
    HOLDS,
    ['else if (reason instanceof SilentCallerError) this.#abandon(hold);', ''],
  ),
  mutant(
    { name: 'a TryLock that slips in before the head', first: 'no try passes a waiter' },
    LEASES,
    ['(not looked or head or more)', 'false'],
  ),
  mutant({ name: 'a waiter that is served out of turn', first: 'no try passes a waiter' }, QUEUES, [
    '(head == ticket or not head and not more)',
    'true',
  ]),
  mutant(
    {
      name: 'a forced release of a newer grant',
      first: 'a forced release frees the grant that it names and no other',
    },
    RELEASES,
    ["named = (ARGV[5] == '' or tonumber(ARGV[5]) == token) and", 'named ='],
  ),
  mutant(
    {
      name: 'a hold that is not released on disconnect',
      first: 'a client that leaves releases its lock',
    },
    HOLDS,
    [
      "this.#over(hold, { outcome: 'released' });\n      this.#release(hold);",
      "this.#over(hold, { outcome: 'released' });\n      this.#end(hold);",
    ],
  ),
  mutant(
    {
      name: 'a view that shows a stale token',
      first: 'a renewal touches no lock that a daprd has taken since',
    },
    'stores/redis/view-scripts.ts',
    [
      '${WHOLE}\n${grant(spelling)}',
      "${WHOLE}\n${grant(spelling).replace(' or math.abs(ends - tonumber(expiry)) > apart', '')}",
    ],
  ),
];
