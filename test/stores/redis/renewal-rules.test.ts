import { REPLY } from '../../../src/stores/redis/redis-script';
import { toCompanionKey } from '../../../src/stores/redis/side-keys';
import { eventually } from '../../support/eventually';
import { inAMinute, type LabCall, labCall, type ScriptLab, tokenOf } from './script-lab';
import { describeRules } from './script-rules';

const MINUTE_MS = 60_000;

/** How long a key still lives, to 5 s: a busy machine's allowance. */
async function expectLeft(lab: ScriptLab, key: string, ms: number): Promise<void> {
  const left = await lab.client.pTTL(key);
  expect(left).toBeLessThanOrEqual(ms);
  expect(left).toBeGreaterThan(ms - 5000);
}

/** Takes a lock, frees it by hand and takes it by the same owner name again, with another end. */
async function grantTwice(lab: ScriptLab): Promise<{ call: LabCall; earlier: number }> {
  const call = labCall();
  const earlier = tokenOf(await lab.acquire(call));
  await lab.client.del(call.key);
  const later = { ...call, attempt: labCall().attempt, ttlMs: 2 * MINUTE_MS };
  await lab.acquire(later);
  return { call: later, earlier };
}

describeRules('a renewal', [
  {
    rule: 'moves the end of lock and companion, which stays a note of the grant',
    async prove(lab) {
      const call = labCall();
      const token = String(tokenOf(await lab.acquire(call)));
      const left = expect.any(Number) as number;
      expect(await lab.renew(call, 10 * MINUTE_MS)).toEqual([REPLY.renewed, token, left]);
      await expectLeft(lab, call.key, 10 * MINUTE_MS);
      await expectLeft(lab, toCompanionKey(call.key), 10 * MINUTE_MS);
      expect(await lab.renew(call, 20 * MINUTE_MS, { token: Number(token) })).toEqual([
        REPLY.renewed,
        token,
        left,
      ]);
      expect(await lab.view(call.key)).toMatchObject([['a', token, left, left, 0]]);
      expect(await lab.withdraw(call)).toBe(REPLY.withdrawn);
    },
    without: [
      { scripts: ['renew'], piece: "redis.call('set', companion, note, unit, span)", by: '' },
      { scripts: ['renew'], piece: "redis.call('set', key, owner, unit, span)", by: '' },
    ],
  },
  {
    rule: 'answers what is left of the lease',
    async prove(lab) {
      const call = labCall();
      await lab.acquire(call);
      expect((await lab.renew(call, 90_000)) as number[]).toEqual([
        REPLY.renewed,
        expect.any(String),
        90_000,
      ]);
      const shorter = (await lab.renew(call, 10)) as number[];
      expect(shorter[2]).toBeGreaterThan(60_000);
    },
    without: [{ scripts: ['renew'], piece: 'ends - now}', by: 'tonumber(ARGV[2])}' }],
  },
  {
    rule: 'never shortens a lease',
    async prove(lab) {
      const call = labCall();
      await lab.acquire(call);
      await lab.renew(call, 1000);
      await expectLeft(lab, call.key, MINUTE_MS);
    },
    without: [{ scripts: ['renew'], piece: 'if later > ends then', by: 'if true then' }],
  },
  {
    rule: 'never revives a lease that is over',
    async prove(lab) {
      const call = labCall({ ttlMs: 30 });
      const token = tokenOf(await lab.acquire(call));
      await eventually(async () => {
        expect(await lab.client.exists(call.key)).toBe(0);
      });
      expect(await lab.renew(call, MINUTE_MS)).toBe(REPLY.notFound);
      expect(await lab.renew(call, MINUTE_MS, { token })).toBe(REPLY.notFound);
      expect(await lab.client.exists(call.key)).toBe(0);
    },
    without: [
      {
        scripts: ['renew'],
        piece: `if not holder then return ${REPLY.notFound} end`,
        by: 'holder = holder or owner',
      },
    ],
  },
  {
    rule: 'never touches the lock of another owner',
    async prove(lab) {
      const call = labCall();
      await lab.acquire(call);
      expect(await lab.renew({ ...call, owner: 'b' }, 9 * MINUTE_MS)).toBe(REPLY.heldByOther);
      await expectLeft(lab, call.key, MINUTE_MS);
    },
    without: [{ scripts: ['renew'], piece: 'if holder ~= owner then', by: 'if false then' }],
  },
  {
    rule: 'by token never touches a later grant of the same owner',
    async prove(lab) {
      const { call, earlier } = await grantTwice(lab);
      expect(await lab.renew(call, 9 * MINUTE_MS, { token: earlier })).toBe(REPLY.heldByOther);
      await expectLeft(lab, call.key, 2 * MINUTE_MS);
    },
    without: [{ scripts: ['renew'], piece: "if ARGV[4] ~= '' and", by: 'if false and' }],
  },
  {
    rule: 'by token never touches what a daprd has taken since by the same owner name',
    async prove(lab) {
      const call = labCall({ ttlMs: 90_000 });
      const token = tokenOf(await lab.acquire(call));
      await lab.client.del(call.key);
      await lab.daprd(call, 'a');
      expect(await lab.renew(call, 9 * MINUTE_MS, { token })).toBe(REPLY.heldByOther);
      await expectLeft(lab, call.key, MINUTE_MS);
    },
    without: [
      { scripts: ['renew'], piece: 'or math.abs(ends - tonumber(expiry)) > apart', by: '' },
    ],
  },
  {
    rule: 'of a lock without a companion that counts deletes the companion',
    async prove(lab) {
      const call = labCall({ ttlMs: 90_000 });
      await lab.acquire(call);
      await lab.client.del(call.key);
      await lab.daprd(call, 'a');
      const reply = [REPLY.renewed, '0', expect.any(Number)];
      expect(await lab.renew(call, 9 * MINUTE_MS)).toEqual(reply);
      await expectLeft(lab, call.key, 9 * MINUTE_MS);
      expect(await lab.client.exists(toCompanionKey(call.key))).toBe(0);
    },
    without: [{ scripts: ['renew'], piece: "redis.call('del', companion)", by: '' }],
  },
  {
    rule: 'leaves the note of a version without tokens in its form',
    async prove(lab) {
      const call = labCall();
      await lab.acquire(call);
      const companion = toCompanionKey(call.key);
      const note = (await lab.client.get(companion)) ?? '';
      await lab.client.set(companion, note.replace(/:\d+$/, ''));
      await lab.renew(call, 9 * MINUTE_MS);
      expect(await lab.client.get(companion)).toMatch(/^[0-9a-f]+:\d+$/);
      expect(await lab.withdraw(call)).toBe(REPLY.withdrawn);
    },
    without: [{ scripts: ['renew'], piece: 'if token > 0 then note', by: 'if true then note' }],
  },
  {
    rule: 'of a lock that does not end leaves it so',
    async prove(lab) {
      const call = labCall();
      await lab.client.set(call.key, 'a');
      expect(await lab.renew(call, MINUTE_MS)).toEqual([REPLY.renewed, '0', -1]);
      expect(await lab.client.pTTL(call.key)).toBe(-1);
    },
    without: [{ scripts: ['renew'], piece: 'if ends == -1 then', by: 'if false then' }],
  },
  {
    rule: 'that comes after its time changes nothing',
    async prove(lab) {
      const call = labCall();
      await lab.acquire(call);
      const late = { notAfterMs: Date.now() - 1000 };
      expect(await lab.renew(call, 9 * MINUTE_MS, late)).toBe(REPLY.stale);
      await expectLeft(lab, call.key, MINUTE_MS);
    },
    without: [{ scripts: ['renew'], piece: 'if now > tonumber(ARGV[3])', by: 'if false' }],
  },
  {
    rule: 'is not shortened by a send of the acquire or ask that comes after it',
    async prove(lab) {
      await lab.open('ab');
      for (const take of ['acquire', 'ask'] as const) {
        const call = labCall();
        const token = tokenOf(await lab[take](call));
        await lab.renew(call, 9 * MINUTE_MS);
        expect(tokenOf(await lab[take](call, { number: 1 }))).toBe(token);
        await expectLeft(lab, call.key, 9 * MINUTE_MS);
        expect(await lab.withdraw(call)).toBe(REPLY.withdrawn);
      }
    },
    without: [
      { scripts: ['acquire'], piece: 'math.max(ends, ends_before)', by: 'ends' },
      { scripts: ['ask'], piece: 'math.max(ends, ends_before)', by: 'ends' },
    ],
  },
]);

describeRules('the release of one grant', [
  {
    rule: 'releases that grant, and says so again when it is repeated',
    async prove(lab) {
      const call = labCall();
      const token = tokenOf(await lab.acquire(call));
      const { attempt } = labCall();
      expect(await lab.release(call, { token, attempt })).toBe(REPLY.unlocked);
      expect(await lab.release(call, { token, attempt, number: 1 })).toBe(REPLY.unlocked);
      expect(await lab.release(call, { token })).toBe(REPLY.notFound);
    },
  },
  {
    rule: 'leaves a later one of the same owner alone',
    async prove(lab) {
      const { call, earlier } = await grantTwice(lab);
      expect(await lab.release(call, { token: earlier })).toBe(REPLY.heldByOther);
      expect(await lab.client.get(call.key)).toBe('a');
    },
    without: [{ scripts: ['release'], piece: 'tonumber(ARGV[5]) == token', by: 'true' }],
  },
  {
    rule: 'leaves what a daprd has taken since alone',
    async prove(lab) {
      const call = labCall({ ttlMs: 90_000 });
      const token = tokenOf(await lab.acquire(call));
      await lab.client.del(call.key);
      await lab.daprd(call, 'a');
      expect(await lab.release(call, { token })).toBe(REPLY.heldByOther);
      expect(await lab.release(call, { owner: '', token })).toBe(REPLY.heldByOther);
      expect(await lab.client.get(call.key)).toBe('a');
    },
    without: [
      { scripts: ['release'], piece: 'or math.abs(ends - tonumber(expiry)) > apart', by: '' },
    ],
  },
  {
    rule: 'needs the owner as well, unless it is forced',
    async prove(lab) {
      const call = labCall();
      const token = tokenOf(await lab.acquire(call));
      expect(await lab.release(call, { token, owner: 'b' })).toBe(REPLY.heldByOther);
      expect(await lab.release(call, { token, owner: '' })).toBe(REPLY.unlocked);
    },
    without: [{ scripts: ['release'], piece: "ARGV[1] == '' or holder == ARGV[1]", by: 'true' }],
  },
]);

describeRules('a forced release of a lock without a token', [
  {
    rule: 'names it by its end',
    async prove(lab) {
      const call = labCall();
      await lab.daprd(call, 'a');
      const [view] = await lab.view(call.key);
      const expiry = Number(view![3]);
      const named = { owner: 'a', token: 0 };
      expect(await lab.release(call, { ...named, expiry: expiry - 50 })).toBe(REPLY.heldByOther);
      expect(await lab.release(call, { ...named, expiry: 0 })).toBe(REPLY.heldByOther);
      expect(await lab.release(call, { ...named, expiry })).toBe(REPLY.unlocked);
    },
    without: [{ scripts: ['release'], piece: 'math.abs(ends - due) <= apart', by: 'true' }],
  },
  {
    rule: 'is no release of one with a token',
    async prove(lab) {
      const call = labCall();
      await lab.acquire(call);
      const [view] = await lab.view(call.key);
      const expiry = Number(view![3]);
      expect(await lab.release(call, { token: 0, expiry })).toBe(REPLY.heldByOther);
    },
    without: [{ scripts: ['release'], piece: 'tonumber(ARGV[5]) == token', by: 'true' }],
  },
  {
    rule: 'works on one that does not end',
    async prove(lab) {
      const call = labCall();
      await lab.client.set(call.key, 'a');
      expect(await lab.view(call.key)).toEqual([['a', '0', -1, -1, 0]]);
      const soon = { token: 0, expiry: inAMinute() };
      expect(await lab.release(call, soon)).toBe(REPLY.heldByOther);
      expect(await lab.release(call, { token: 0, expiry: 0 })).toBe(REPLY.unlocked);
    },
    without: [{ scripts: ['release'], piece: "ARGV[6] == '0' and -1 or", by: 'false or' }],
  },
]);

describeRules('the view of a lock', [
  {
    rule: 'gives a stale companion no token',
    async prove(lab) {
      const call = labCall({ ttlMs: 90_000 });
      await lab.acquire(call);
      await lab.client.del(call.key);
      await lab.daprd(call, 'd');
      expect((await lab.view(call.key))[0]).toEqual(expect.arrayContaining(['d', '0']));
    },
    without: [{ scripts: ['view'], piece: 'or math.abs(ends - tonumber(expiry)) > apart', by: '' }],
  },
  {
    rule: 'is empty where the lock is free, or its key holds something else',
    async prove(lab) {
      const [free, list] = [labCall(), labCall()];
      await lab.client.lPush(list.key, 'x');
      expect(await lab.view(free.key, list.key)).toEqual([[], []]);
    },
    without: [
      { scripts: ['view'], piece: "redis.pcall('get', key)", by: "redis.call('get', key)" },
    ],
  },
]);
