import { REPLY } from '../../../src/stores/redis/redis-script';
import { TOKEN_KEY, toCompanionKey } from '../../../src/stores/redis/side-keys';
import { labCall, type ScriptLab, tokenOf } from './script-lab';
import { describeRules } from './script-rules';

const LARGEST = Number.MAX_SAFE_INTEGER;

/** Sets the last token, as grants before the clock was set back would have. */
const setLast = (lab: ScriptLab, token: number) => lab.client.set(TOKEN_KEY, String(token));

/** Takes a lock and releases it; gives the token. */
async function grantOnce(lab: ScriptLab, key: string): Promise<number> {
  const call = labCall({ key });
  const token = tokenOf(await lab.acquire(call));
  expect(await lab.release(call)).toBe(REPLY.unlocked);
  return token;
}

describeRules('a fencing token', [
  {
    rule: 'exceeds those of all grants before, though the clock was set back',
    async prove(lab) {
      const inAnHour = (Date.now() + 3_600_000) * 1000;
      await setLast(lab, inAnHour);
      const tokens = [await grantOnce(lab, 'lock||k'), await grantOnce(lab, 'lock||k')];
      await lab.open('ab');
      tokens.push(tokenOf(await lab.ask(labCall({ key: 'lock||k' }))));
      expect(tokens).toEqual([inAnHour + 1, inAnHour + 2, inAnHour + 3]);
    },
    without: [
      {
        scripts: ['acquire', 'ask'],
        piece: 'if before and before >= tonumber(token)',
        by: 'if false',
      },
      { scripts: ['acquire', 'ask'], piece: 'before + 1, 2 ^ 53', by: 'before, 2 ^ 53' },
    ],
  },
  {
    rule: 'exceeds those of before a loss of the data',
    async prove(lab) {
      const before = await grantOnce(lab, 'lock||k');
      await lab.client.flushAll();
      expect(await grantOnce(lab, 'lock||k')).toBeGreaterThan(before);
    },
    without: [
      {
        scripts: ['acquire'],
        piece: "token = string.format('%s%06d', time[1], time[2])",
        by: "token = '1'",
      },
    ],
  },
  {
    rule: 'is the time in microseconds where nothing was set back',
    async prove(lab) {
      const from = Date.now() * 1000;
      const token = await grantOnce(lab, 'lock||k');
      expect(token).toBeGreaterThanOrEqual(from);
      expect(token).toBeLessThanOrEqual((Date.now() + 1) * 1000);
    },
  },
  {
    rule: 'keeps all of its digits, in the companion and in what is told',
    async prove(lab) {
      await setLast(lab, LARGEST - 7);
      const call = labCall();
      expect(tokenOf(await lab.acquire(call))).toBe(LARGEST - 6);
      expect(tokenOf(await lab.acquire(call, { number: 1 }))).toBe(LARGEST - 6);
      expect(await lab.view(call.key)).toEqual([
        ['a', String(LARGEST - 6), expect.any(Number), expect.any(Number), 0],
      ]);
    },
    without: [
      {
        scripts: ['acquire'],
        piece: "token = string.format('%.0f', math.min(before + 1, 2 ^ 53))",
        by: 'token = tostring(math.min(before + 1, 2 ^ 53))',
      },
    ],
  },
  {
    rule: 'is the same when a grant is recognised',
    async prove(lab) {
      const call = labCall();
      const token = tokenOf(await lab.acquire(call));
      expect(tokenOf(await lab.acquire(call, { number: 1 }))).toBe(token);
      await lab.open('ab');
      const waiter = labCall();
      const asked = tokenOf(await lab.ask(waiter));
      expect(tokenOf(await lab.ask(waiter, { number: 1 }))).toBe(asked);
    },
    without: [
      {
        scripts: ['acquire'],
        piece: 'token = its_token > 0 and whole(its_token)',
        by: '',
      },
    ],
  },
  {
    rule: 'ends below 2^53: beyond it nothing is granted, and nothing changed',
    async prove(lab) {
      await lab.open('ab');
      for (const take of ['acquire', 'ask'] as const) {
        await setLast(lab, LARGEST - 1);
        const last = labCall();
        expect(tokenOf(await lab[take](last))).toBe(LARGEST);
        const call = labCall();
        expect(await lab[take](call)).toBe(REPLY.exhausted);
        expect(await lab[take](call, { number: 1 })).toBe(REPLY.exhausted);
        expect(await lab.client.exists([call.key, toCompanionKey(call.key)])).toBe(0);
      }
    },
    without: [
      {
        scripts: ['acquire', 'ask'],
        piece: 'if tonumber(token) == 2 ^ 53 then token = nil end',
        by: '',
      },
    ],
  },
  {
    rule: 'is given though the last one is unreadable',
    async prove(lab) {
      for (const [type, spoil] of Object.entries({
        list: () => lab.client.lPush(TOKEN_KEY, 'x'),
        text: () => lab.client.set(TOKEN_KEY, 'inf'),
      })) {
        await lab.client.del(TOKEN_KEY);
        await spoil();
        expect([type, await grantOnce(lab, 'lock||k')]).toEqual([type, expect.any(Number)]);
        expect(await lab.client.get(TOKEN_KEY)).toMatch(/^look:\d+:\d+$/);
      }
    },
    without: [
      {
        scripts: ['acquire'],
        piece: "if type(last) == 'table' then last = redis.pcall('get'",
        by: "if type(last) == 'table' then last = redis.call('get'",
      },
      { scripts: ['acquire'], piece: "string.match(text, '^%d+$')", by: 'text' },
    ],
  },
  {
    rule: 'costs a try that is refused nothing: TIME and one SET',
    async prove(lab) {
      await lab.acquire(labCall({ key: 'lock||k' }));
      await lab.client.sendCommand(['CONFIG', 'RESETSTAT']);
      expect(await lab.acquire(labCall({ key: 'lock||k' }))).toBe(REPLY.refused);
      const stats = await lab.client.info('commandstats');
      const ran = [...stats.matchAll(/^cmdstat_(\w+):calls=(\d+)/gm)]
        .map(([, name, calls]) => `${String(name)} ${String(calls)}`)
        .filter((each) => !/^(?:eval|config|info)/.test(each));
      expect(ran.sort()).toEqual(['set 1', 'time 1']);
    },
    without: [
      {
        scripts: ['acquire'],
        piece: 'if number == 0 and not',
        by: "redis.call('exists', queue)\nif number == 0 and not",
      },
    ],
  },
  {
    rule: 'is the time for a user whose ACL does not reach the last one',
    async prove(lab) {
      const acl = ['ACL', 'SETUSER', 'default', 'resetkeys', '~lock||app||*'];
      await lab.client.sendCommand(acl);
      try {
        const tokens = [await grantOnce(lab, 'lock||app||k'), await grantOnce(lab, 'lock||app||k')];
        expect(tokens[1]).toBeGreaterThan(tokens[0]!);
      } finally {
        await lab.client.sendCommand(['ACL', 'SETUSER', 'default', 'allkeys']);
      }
    },
    without: [
      {
        scripts: ['acquire'],
        piece: "local last = redis.pcall('set'",
        by: "local last = redis.call('set'",
      },
    ],
  },
]);
