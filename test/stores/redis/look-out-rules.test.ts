import { REPLY } from '../../../src/stores/redis/redis-script';
import { TOKEN_KEY, toPresenceKey, toQueueKey } from '../../../src/stores/redis/side-keys';
import type { InspectingClient } from '../../support/redis-server';
import { withQueue } from './queue-lab';
import { labCall, type ScriptLab, tokenOf } from './script-lab';
import { describeRules } from './script-rules';

/** The commands that the scripts have run since `act` began, and how often. */
async function commandsOf(lab: ScriptLab, act: () => Promise<unknown>): Promise<string[]> {
  await lab.client.sendCommand(['CONFIG', 'RESETSTAT']);
  await act();
  const stats = await lab.client.info('commandstats');
  return [...stats.matchAll(/^cmdstat_(\w+):calls=(\d+)/gm)]
    .map(([, name, calls]) => `${String(name)} ${String(calls)}`)
    .filter((each) => !/^(?:eval|config|info)/.test(each))
    .sort();
}

/** Until when grants look, on the server's clock; NaN if they don't. */
const readTill = async ({ client }: ScriptLab): Promise<number> =>
  Number(/^look:(\d+):\d+$/.exec((await client.get(TOKEN_KEY)) ?? '')?.[1]);

/** A grant after which the key of the last token exists and tells nobody to look. */
const grantPlainly = async (lab: ScriptLab): Promise<void> => {
  if ((await lab.client.get(TOKEN_KEY)) === null) await lab.client.set(TOKEN_KEY, '5');
  tokenOf(await lab.acquire(labCall()));
  expect(await lab.client.get(TOKEN_KEY)).toMatch(/^\d+$/);
};

/** Releases the lock that is waited for; another acquire must not get it. */
async function expectInTurn(lab: ScriptLab, holder: ReturnType<typeof labCall>): Promise<void> {
  await lab.release(holder);
  expect(await lab.acquire(labCall({ key: holder.key }))).toBe(REPLY.refused);
}

/** True for Redis 7 and later, and for Valkey. */
async function hasReadOnlyKeys(client: InspectingClient): Promise<boolean> {
  try {
    await client.sendCommand(['ACL', 'SETUSER', 'reader', '%R~*']);
    await client.sendCommand(['ACL', 'DELUSER', 'reader']);
    return true;
  } catch {
    return false;
  }
}

describeRules('a grant', [
  {
    rule: 'runs TIME and three SETs where nobody waits and nothing was withdrawn',
    async prove(lab) {
      await grantPlainly(lab);
      const call = labCall();
      expect(await commandsOf(lab, () => lab.acquire(call))).toEqual(['set 3', 'time 1']);
    },
    without: [
      { scripts: ['acquire'], piece: '(looks or number > 0) and', by: 'true and' },
      { scripts: ['acquire'], piece: 'last >= token', by: 'true' },
    ],
  },
  {
    rule: 'looks for a queue as long as it lives, whatever else is granted meanwhile',
    async prove(lab) {
      await grantPlainly(lab);
      const { holder } = await withQueue(lab, 'aa');
      const queueEndsBy = Date.now() + (await lab.client.pTTL(toQueueKey(holder.key)));
      expect(await readTill(lab)).toBeGreaterThanOrEqual(queueEndsBy);
      tokenOf(await lab.acquire(labCall()));
      tokenOf(await lab.acquire(labCall()));
      await expectInTurn(lab, holder);
    },
    without: [
      { scripts: ['ask'], piece: 'look_out(now + 3000)', by: '' },
      { scripts: ['ask'], piece: 'look_out(now + 3000)', by: 'look_out(now + 1000)' },
      { scripts: ['acquire'], piece: "looks and 'look:'", by: "false and 'look:'" },
    ],
  },
  {
    rule: 'looks as long as a queue is refreshed',
    async prove(lab) {
      const { holder } = await withQueue(lab, 'aa');
      await lab.client.set(TOKEN_KEY, '5');
      await lab.refresh('aa', [holder.key]);
      await expectInTurn(lab, holder);
    },
    without: [{ scripts: ['refresh'], piece: 'look_out(now + 3000)', by: '' }],
  },
  {
    rule: 'looks where the last token was gone or unreadable, and so does the next one',
    async prove(lab) {
      for (const spoil of [
        () => lab.client.del(TOKEN_KEY),
        () => lab.client.set(TOKEN_KEY, 'x'),
        async () => {
          await lab.client.del(TOKEN_KEY);
          await lab.client.lPush(TOKEN_KEY, 'x');
        },
      ]) {
        const { holder } = await withQueue(lab, 'aa');
        await spoil();
        tokenOf(await lab.acquire(labCall()));
        await expectInTurn(lab, holder);
      }
    },
    without: [
      { scripts: ['acquire'], piece: 'if not before then till =', by: 'if false then till =' },
      { scripts: ['acquire'], piece: 'now + 10000', by: 'now - 1' },
    ],
  },
  {
    rule: 'looks no more once nobody has to',
    async prove(lab) {
      await lab.client.set(TOKEN_KEY, `look:${Date.now() - 1000}:5`);
      await grantPlainly(lab);
    },
    without: [{ scripts: ['acquire'], piece: 'till and now <= tonumber(till)', by: 'till' }],
  },
  {
    rule: 'keeps the token in the key that makes it look',
    async prove(lab) {
      const inAnHour = (Date.now() + 3_600_000) * 1000;
      await lab.client.set(TOKEN_KEY, String(inAnHour));
      const { holder } = await withQueue(lab, 'aa');
      expect(await lab.client.get(TOKEN_KEY)).toMatch(/^look:/);
      await lab.release(holder);
      expect(tokenOf(await lab.acquire(labCall()))).toBeGreaterThan(inAnHour + 1);
    },
    without: [
      { scripts: ['ask'], piece: "token or string.match(text, '^%d+$') or '0'", by: "'0'" },
      { scripts: ['acquire'], piece: 'before = tonumber(before or', by: 'before = tonumber(' },
    ],
  },
  {
    rule: 'of a first send that comes after its withdrawal is undone',
    async prove(lab) {
      await grantPlainly(lab);
      const call = labCall();
      await lab.withdraw(call);
      expect(await lab.acquire(call)).toBe(REPLY.superseded);
      expect(await lab.client.exists(call.key)).toBe(0);
    },
    without: [{ scripts: ['withdraw'], piece: 'pcall(look_out, now + left + 10)', by: '' }],
  },
  {
    rule: 'of a first send that comes after its withdrawal is undone for a user who may only read the last token',
    canArise: hasReadOnlyKeys,
    async prove(lab) {
      await grantPlainly(lab);
      const call = labCall();
      const keys = ['resetkeys', `~${call.key}*`, `%R~${TOKEN_KEY}`];
      await lab.client.sendCommand(['ACL', 'SETUSER', 'default', ...keys]);
      try {
        await lab.withdraw(call);
        expect(await lab.acquire(call)).toBe(REPLY.superseded);
      } finally {
        await lab.client.sendCommand(['ACL', 'SETUSER', 'default', 'allkeys']);
      }
    },
    without: [{ scripts: ['acquire'], piece: 'looks = looks or noted.err', by: '' }],
  },
  {
    rule: 'of a first send that comes after a later one was granted and released is undone',
    async prove(lab) {
      await grantPlainly(lab);
      const call = labCall();
      tokenOf(await lab.acquire(call, { number: 1 }));
      await lab.release(call);
      expect(await lab.acquire(call)).toBe(REPLY.superseded);
      expect(await lab.client.exists(call.key)).toBe(0);
    },
    without: [{ scripts: ['acquire'], piece: 'pcall(look_out, tonumber(ARGV[6]) + 10)', by: '' }],
  },
  {
    rule: 'can be waited for by those only who can make others look',
    async prove(lab) {
      const { holder } = await withQueue(lab);
      const keys = ['resetkeys', `~${holder.key}*`, `~${toPresenceKey('ab')}`];
      await lab.open('ab');
      await lab.client.sendCommand(['ACL', 'SETUSER', 'default', ...keys]);
      try {
        await expect(lab.ask(labCall({ key: holder.key }))).rejects.toThrow(
          /NOPERM|No permissions|can't access/,
        );
        expect(await lab.tickets(holder)).toEqual([]);
      } finally {
        await lab.client.sendCommand(['ACL', 'SETUSER', 'default', 'allkeys']);
      }
    },
    without: [
      {
        scripts: ['ask'],
        piece: "redis.call('set', 'lock||token||', string.format(",
        by: "redis.pcall('set', 'lock||token||', string.format(",
      },
    ],
  },
]);
