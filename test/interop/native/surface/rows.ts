import { eventually } from '../../../support/eventually';
import type { Daprd } from '../../lock-servers';
import type { Fields, SurfaceTool, ToolHold, UnaryCall } from './tools';

/** One call, by either tool on either store. */
export interface SurfaceRow {
  readonly call: UnaryCall | 'Hold';
  readonly does: string;
  /** The expected answer of {@link run}. */
  readonly answer: string;
  /** Makes the calls, on a resource that is its own. A row that needs a daprd is skipped where no daprd can be. */
  run(tool: SurfaceTool, resourceId: string, daprd: Daprd | undefined): Promise<string>;
  readonly needsDaprd?: boolean;
}

/** A lease that no row outlasts, and a wait that is long enough for a busy machine; in milliseconds. */
const TTL_MS = 60_000;
const WAIT_MS = 30_000;
const WITHIN = { withinMs: WAIT_MS };

/** A lease that is renewed while a row looks on, in milliseconds. */
const SHORT_TTL_MS = 600;

/** Fields that an acquire does not have, or not with these values. */
const WRONG: readonly (readonly [field: string, value: unknown])[] = [
  ['ttlMs', 9],
  ['waitMs', -1],
  ['waitMs', 'soon'],
  ['resourceId', ''],
  ['colour', 'red'],
];

/** Every call of the surface, and what it promises. */
export const SURFACE_ROWS: readonly SurfaceRow[] = [
  {
    call: 'Acquire',
    does: 'takes a free lock',
    answer: 'true: a lease of a with a token',
    run: async (tool, resourceId) => {
      const answer = await tool.call('Acquire', { resourceId, lockOwner: 'a', ttlMs: TTL_MS });
      const { lockOwner, fencingToken, validMs } = answer.lease as Record<string, number>;
      const isSound = fencingToken! > 0 && validMs! > 0;
      return `${String(answer.acquired)}: a lease of ${lockOwner} ${isSound ? 'with' : 'without'} a token`;
    },
  },
  {
    call: 'Acquire',
    does: 'says who holds it',
    answer: 'false: a has it',
    run: async (tool, resourceId) => {
      await take(tool, resourceId, 'a');
      const answer = await tool.call('Acquire', { resourceId, lockOwner: 'b', ttlMs: TTL_MS });
      return `${String(answer.acquired)}: ${String((answer.holder as Fields).lockOwner)} has it`;
    },
  },
  {
    call: 'Acquire',
    does: 'waits in turn',
    answer: 'true, with a higher token',
    run: async (tool, resourceId) => {
      const before = await take(tool, resourceId, 'a');
      const request = { resourceId, lockOwner: 'b', ttlMs: TTL_MS, waitMs: WAIT_MS };
      const waiting = tool.call('Acquire', request);
      await untilWaiting(tool, resourceId);
      await tool.call('Release', { resourceId, lockOwner: 'a' });
      const { acquired, lease } = await waiting;
      const { fencingToken } = lease as Record<string, number>;
      return `${String(acquired)}, with a ${fencingToken! > before ? 'higher' : 'lower'} token`;
    },
  },
  {
    call: 'Acquire',
    does: 'refuses a wrong request',
    answer: 'each error names its field; free',
    run: async (tool, resourceId) => {
      for (const [field, value] of WRONG) {
        const request = { resourceId, ttlMs: TTL_MS, [field]: value };
        const { error = 'none' } = await tool.call('Acquire', request);
        // The names of the proto file are in snake_case.
        const named = String(error).replaceAll('_', '').toLowerCase();
        if (!named.includes(field.toLowerCase())) return `${field}: ${String(error)}`;
      }
      return `each error names its field; ${await stateOf(tool, resourceId)}`;
    },
  },
  {
    call: 'Renew',
    does: 'prolongs the grant that is named',
    answer: 'RENEWED, HELD_BY_OTHER, NOT_FOUND',
    run: async (tool, resourceId) => {
      const fencingToken = await take(tool, resourceId, 'a');
      const renew = (more: object) =>
        statusOf(tool, 'Renew', { resourceId, lockOwner: 'a', ttlMs: 2 * TTL_MS, ...more });
      const [own, other] = [
        await renew({ fencingToken }),
        await renew({ fencingToken: fencingToken + 1 }),
      ];
      await tool.call('Release', { resourceId, lockOwner: 'a' });
      return [own, other, await renew({})].join(', ');
    },
  },
  {
    call: 'Release',
    does: 'releases the grant that is named',
    answer: 'HELD_BY_OTHER, RELEASED, NOT_FOUND',
    run: async (tool, resourceId) => {
      const fencingToken = await take(tool, resourceId, 'a');
      const release = (more: object) =>
        statusOf(tool, 'Release', { resourceId, lockOwner: 'a', ...more });
      return [
        await release({ fencingToken: 1 }),
        await release({ fencingToken }),
        await release({}),
      ].join(', ');
    },
  },
  {
    call: 'Hold',
    does: 'renews, and releases at Ctrl-C',
    answer: 'held, renewed; free',
    run: async (tool, resourceId) => {
      const hold = tool.hold({ resourceId, ttlMs: SHORT_TTL_MS });
      await untilTold(hold, 'renewed');
      await hold.end();
      await untilState(tool, resourceId, 'free');
      return `${hold.told.slice(0, 2).join(', ')}; free`;
    },
  },
  {
    call: 'Hold',
    does: 'waits in turn',
    answer: 'queued, held',
    run: async (tool, resourceId) => {
      await take(tool, resourceId, 'a');
      const hold = tool.hold({ resourceId, ttlMs: TTL_MS, waitMs: WAIT_MS });
      await untilTold(hold, 'queued');
      await tool.call('Release', { resourceId, lockOwner: 'a' });
      await untilTold(hold, 'held');
      await hold.end();
      return hold.told.join(', ');
    },
  },
  {
    call: 'Hold',
    does: 'ends when waitMs is over',
    answer: 'queued, refused',
    run: async (tool, resourceId) => {
      await take(tool, resourceId, 'a');
      const hold = tool.hold({ resourceId, ttlMs: TTL_MS, waitMs: 100 });
      await untilTold(hold, 'refused');
      await hold.end();
      return hold.told.join(', ');
    },
  },
  {
    call: 'Hold',
    does: 'tells that the lock was taken away',
    answer: 'lost TAKEN_OVER',
    run: async (tool, resourceId) => {
      let told = '';
      // A renewal between the forced release and the next grant finds no lock, and rightly says EXPIRED.
      for (let tries = 0; tries < 3 && told !== 'lost TAKEN_OVER'; tries++) {
        told = await lossOf(tool, `${resourceId}-${String(tries)}`);
      }
      return told;
    },
  },
  {
    call: 'Get',
    does: 'shows who holds a lock',
    answer: 'free; held by a with its token, nobody waits',
    run: async (tool, resourceId) => {
      const before = await stateOf(tool, resourceId);
      const token = await take(tool, resourceId, 'a');
      const { lockOwner, fencingToken, ttlMs, waiters } = await tool.call('Get', { resourceId });
      const isSame = fencingToken === token && Number(ttlMs) > 0;
      return `${before}; held by ${String(lockOwner)} with ${isSame ? 'its' : 'another'} token, ${waiters === 0 ? 'nobody waits' : 'somebody waits'}`;
    },
  },
  {
    call: 'List',
    does: 'lists by prefix, a page at a time',
    answer: 'one, two',
    run: async (tool, resourceId) => {
      for (const name of ['-one', '-two']) await take(tool, `${resourceId}${name}`, 'a');
      await take(tool, `other-${resourceId}`, 'a');
      const found: string[] = [];
      let pageToken = '';
      do {
        const page = await tool.call('List', { prefix: resourceId, pageSize: 1, pageToken });
        found.push(...(page.locks as readonly Fields[]).map((lock) => String(lock.resourceId)));
        pageToken = String(page.nextPageToken);
      } while (pageToken !== '');
      return found
        .map((name) => name.slice(resourceId.length + 1))
        .sort()
        .join(', ');
    },
  },
  {
    call: 'ForceRelease',
    does: 'releases what was looked at',
    answer: 'HELD_BY_OTHER, RELEASED, NOT_FOUND',
    run: async (tool, resourceId) => {
      const token = await take(tool, resourceId, 'a');
      const force = (fencingToken: number) =>
        statusOf(tool, 'ForceRelease', { resourceId, fencingToken, reason: 'a test' });
      return [await force(1), await force(token), await force(token)].join(', ');
    },
  },
  {
    call: 'List',
    does: 'shows the locks of a daprd, with token 0',
    answer: 'd with token 0',
    needsDaprd: true,
    run: async (tool, resourceId, daprd) => {
      await daprd?.lock(resourceId, 'd');
      const { locks } = await tool.call('List', { prefix: resourceId });
      return (locks as readonly Fields[])
        .map((lock) => `${String(lock.lockOwner)} with token ${String(lock.fencingToken)}`)
        .join(', ');
    },
  },
  {
    call: 'ForceRelease',
    does: 'releases the lock of a daprd, by its owner and its end',
    answer: 'HELD_BY_OTHER, RELEASED, NOT_FOUND',
    needsDaprd: true,
    run: async (tool, resourceId, daprd) => {
      await daprd?.lock(resourceId, 'd');
      const { lockOwner, expiresAtMs } = await tool.call('Get', { resourceId });
      const seen = { resourceId, fencingToken: 0, lockOwner, expiresAtMs, reason: 'a test' };
      const force = (more: object) => statusOf(tool, 'ForceRelease', { ...seen, ...more });
      return [await force({ lockOwner: 'e' }), await force({}), await force({})].join(', ');
    },
  },
];

/** Takes a lock that is free, and gives back its token. */
async function take(tool: SurfaceTool, resourceId: string, lockOwner: string): Promise<number> {
  const answer = await tool.call('Acquire', { resourceId, lockOwner, ttlMs: TTL_MS });
  if (answer.acquired !== true) throw new Error(`not acquired: ${JSON.stringify(answer)}`);
  return (answer.lease as Record<string, number>).fencingToken!;
}

/** Frees a lock by force for somebody who waits for it. */
async function lossOf(tool: SurfaceTool, resourceId: string): Promise<string> {
  const hold = tool.hold({ resourceId, ttlMs: SHORT_TTL_MS });
  await untilTold(hold, 'held');
  await takeFrom(tool, resourceId);
  await untilTold(hold, 'lost TAKEN_OVER', 'lost EXPIRED', 'lost STORE_UNREACHABLE');
  await hold.end();
  return String(hold.told.at(-1));
}

async function takeFrom(tool: SurfaceTool, resourceId: string): Promise<void> {
  const { fencingToken } = await tool.call('Get', { resourceId });
  const request = { resourceId, lockOwner: 'b', ttlMs: TTL_MS, waitMs: WAIT_MS };
  const waiting = tool.call('Acquire', request);
  await untilWaiting(tool, resourceId);
  await tool.call('ForceRelease', { resourceId, fencingToken, reason: 'a test' });
  await waiting;
}

async function statusOf(tool: SurfaceTool, call: UnaryCall, fields: Fields): Promise<string> {
  const answer = await tool.call(call, fields);
  return String(answer.status ?? answer.error);
}

async function stateOf(tool: SurfaceTool, resourceId: string): Promise<string> {
  return 'lockOwner' in (await tool.call('Get', { resourceId })) ? 'held' : 'free';
}

async function untilState(tool: SurfaceTool, resourceId: string, state: string): Promise<void> {
  await eventually(async () => {
    const now = await stateOf(tool, resourceId);
    if (now !== state) throw new Error(`the lock is ${now}`);
  }, WITHIN);
}

async function untilWaiting(tool: SurfaceTool, resourceId: string): Promise<void> {
  await eventually(async () => {
    const { waiters } = await tool.call('Get', { resourceId });
    if (waiters !== 1) throw new Error(`${String(waiters)} wait`);
  }, WITHIN);
}

async function untilTold(hold: ToolHold, ...anyOf: readonly string[]): Promise<void> {
  await eventually(() => {
    if (anyOf.some((name) => hold.told.includes(name))) return;
    throw new Error(`told only ${hold.told.join(', ')}`);
  }, WITHIN);
}
