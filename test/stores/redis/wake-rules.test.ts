import { REPLY } from '../../../src/stores/redis/redis-script';
import { toPresenceKey } from '../../../src/stores/redis/side-keys';
import { withQueue, wokenBy } from './queue-lab';
import { labCall, type ScriptLab, tokenOf } from './script-lab';
import { describeRules } from './script-rules';

describeRules('the head of a queue', [
  {
    rule: 'is woken by a release, a release of one grant and a forced one, and nobody else is',
    async prove(lab) {
      for (const how of ['owner', 'token', 'force'] as const) {
        const holder = labCall();
        const token = tokenOf(await lab.acquire(holder));
        await lab.open('aa');
        const [first, second] = [1, 2].map(() => labCall({ key: holder.key, sidecar: 'aa' }));
        await lab.ask(first!);
        await lab.ask(second!);
        const want = how === 'owner' ? {} : how === 'token' ? { token } : { token, owner: '' };
        const woken = await wokenBy(lab, 'aa', () => lab.release(holder, want));
        expect([how, woken]).toEqual([how, [first!.attempt]]);
      }
    },
    without: [{ scripts: ['release'], piece: 'if freed and stand ~= 0 then', by: 'if false then' }],
  },
  {
    rule: 'is woken by the withdrawal of a grant',
    async prove(lab) {
      const { holder, waiters } = await withQueue(lab, 'aa');
      expect(await wokenBy(lab, 'aa', () => lab.withdraw(holder))).toEqual([waiters[0]!.attempt]);
    },
    without: [{ scripts: ['withdraw'], piece: 'if held or led then', by: 'if led then' }],
  },
  {
    rule: 'that leaves wakes the next, and one that does not lead wakes nobody',
    async prove(lab) {
      const { waiters } = await withQueue(lab, 'aa', 'bb', 'cc');
      const [first, second, third] = waiters;
      expect(await wokenBy(lab, 'aa', () => lab.withdraw(second!, { hasTicket: true }))).toEqual(
        [],
      );
      expect(await wokenBy(lab, 'cc', () => lab.withdraw(first!, { hasTicket: true }))).toEqual([
        third!.attempt,
      ]);
    },
    without: [
      { scripts: ['withdraw'], piece: 'if held or led then', by: 'if held then' },
      { scripts: ['withdraw'], piece: 'if held or led then', by: 'if true then' },
    ],
  },
  {
    rule: 'is woken past dead tickets, which are dropped',
    async prove(lab) {
      const { holder, waiters } = await withQueue(lab, 'aa', 'bb');
      await lab.client.del(toPresenceKey('aa'));
      expect(await wokenBy(lab, 'bb', () => lab.release(holder))).toEqual([waiters[1]!.attempt]);
      expect(await lab.tickets(holder)).toEqual([lab.ticketOf(waiters[1]!)]);
    },
    without: [
      {
        scripts: ['release'],
        piece: "sidecar .. '||') == 1 then return",
        by: "sidecar .. '||') >= 0 then return",
      },
    ],
  },
  {
    rule: 'is woken by whoever finds that its lock has ended by itself',
    async prove(lab) {
      const { holder, waiters } = await withQueue(lab, 'aa');
      await lab.client.del(holder.key);
      await lab.open('bb');
      const other = labCall({ key: holder.key, sidecar: 'bb' });
      expect(await wokenBy(lab, 'aa', () => lab.ask(other))).toEqual([waiters[0]!.attempt]);
      expect(await wokenBy(lab, 'aa', () => lab.acquire(other))).toEqual([waiters[0]!.attempt]);
    },
    without: [
      { scripts: ['ask'], piece: 'if left == -2 then', by: 'if false then' },
      { scripts: ['acquire'], piece: 'pcall(wake, looked and head)', by: '' },
    ],
  },
]);

/** The permissions of a Redis user that the first versions needed. */
const NARROW = [
  'nocommands',
  '+set',
  '+get',
  '+del',
  '+eval',
  '+evalsha',
  '+time',
  '+pexpiretime',
  '+pttl',
  '+ping',
  '+info',
];

/** Runs something as a user whose rights end there; the commands are given back. */
async function asNarrowUser(lab: ScriptLab, act: () => Promise<void>): Promise<void> {
  const narrow = NARROW.filter((rule) => !rule.includes('pexpiretime'));
  const admin = lab.client.duplicate();
  await admin.connect();
  await admin.sendCommand([
    'ACL',
    'SETUSER',
    'narrow',
    'on',
    '>pw',
    '~lock||*',
    'resetchannels',
    ...narrow,
  ]);
  const main = lab.client;
  try {
    await main.sendCommand(['AUTH', 'narrow', 'pw']);
    await act();
  } finally {
    await main.sendCommand(['AUTH', 'default', '']);
    admin.destroy();
  }
}

describeRules('a user who may do no more than version 0.2 needed', [
  {
    rule: 'releases all the same where somebody waits: whom it can not wake, a look will',
    async prove(lab) {
      const { holder } = await withQueue(lab, 'aa');
      await asNarrowUser(lab, async () => {
        expect(await lab.release(holder)).toBe(REPLY.unlocked);
        expect(await lab.client.get(holder.key)).toBeNull();
      });
    },
    without: [
      {
        scripts: ['release'],
        piece: 'pcall(function() wake((live_head(KEYS[4]))) end)',
        by: 'wake((live_head(KEYS[4])))',
      },
      {
        scripts: ['release'],
        piece: "redis.pcall('exists', KEYS[3]",
        by: "redis.call('exists', KEYS[3]",
      },
    ],
  },
  {
    rule: 'takes a free lock, with a token',
    async prove(lab) {
      await asNarrowUser(lab, async () => {
        const call = labCall();
        const token = tokenOf(await lab.acquire(call));
        expect(tokenOf(await lab.acquire(call, { number: 1 }))).toBe(token);
      });
    },
    without: [
      {
        scripts: ['acquire'],
        piece: "redis.pcall('exists', marker",
        by: "redis.call('exists', marker",
      },
    ],
  },
  {
    rule: 'takes no lock that others wait for',
    async prove(lab) {
      const { holder } = await withQueue(lab, 'aa');
      await lab.release(holder);
      await asNarrowUser(lab, async () => {
        expect(await lab.acquire(labCall({ key: holder.key }))).toBe(REPLY.refused);
        expect(await lab.client.get(holder.key)).toBeNull();
      });
    },
    without: [{ scripts: ['acquire'], piece: "stand = redis.pcall('pttl', queue)", by: '' }],
  },
]);

describeRules('a Redis without memory', [
  {
    rule: 'releases and withdraws all the same, and wakes',
    async prove(lab) {
      const { holder, waiters } = await withQueue(lab, 'aa');
      const other = await withQueue(lab, 'aa');
      await lab.client.sendCommand(['CONFIG', 'SET', 'maxmemory', '1']);
      try {
        const woken = await wokenBy(lab, 'aa', async () => {
          expect(await lab.release(holder)).toBe(REPLY.unlocked);
          expect(await lab.withdraw(other.holder)).toBe(REPLY.withdrawn);
        });
        expect(woken).toEqual([waiters[0]!.attempt, other.waiters[0]!.attempt]);
      } finally {
        await lab.client.sendCommand(['CONFIG', 'SET', 'maxmemory', '0']);
      }
      expect(await lab.client.exists([holder.key, other.holder.key])).toBe(0);
    },
    without: [
      {
        scripts: ['release'],
        piece: 'local number, released',
        by: "redis.call('set', KEYS[3], '0')\nlocal number, released",
      },
      {
        scripts: ['withdraw'],
        piece: 'local run = redis.call',
        by: "local run = redis.call\nredis.call('set', KEYS[3], '0')",
      },
    ],
  },
  {
    rule: 'grants and queues nothing, and keeps no half of it',
    async prove(lab) {
      await lab.open('ab');
      await lab.client.sendCommand(['CONFIG', 'SET', 'maxmemory', '1']);
      const calls = [labCall(), labCall()] as const;
      try {
        await expect(lab.acquire(calls[0])).rejects.toThrow(/OOM/);
        await expect(lab.ask(calls[1])).rejects.toThrow(/OOM/);
      } finally {
        await lab.client.sendCommand(['CONFIG', 'SET', 'maxmemory', '0']);
      }
      expect(await lab.client.keys('*')).toEqual([toPresenceKey('ab')]);
    },
  },
]);
