import { REPLY } from '../../../src/stores/redis/redis-script';
import { TOKEN_KEY, toPresenceKey, toQueueKey } from '../../../src/stores/redis/side-keys';
import { withQueue } from './queue-lab';
import { inAMinute, labCall, tokenOf } from './script-lab';
import { describeRules } from './script-rules';

/** The reply of a queued ask: place, tickets before it, what is left of the lease. */
const queued = (ahead: number) => [
  REPLY.queued,
  expect.any(String) as string,
  ahead,
  expect.any(Number) as number,
];
describeRules('a queue', [
  {
    rule: 'serves the tickets in the order in which they came, across sidecars',
    async prove(lab) {
      const { holder, waiters } = await withQueue(lab, 'aa', 'bb', 'aa', 'cc');
      for (const [index, waiter] of waiters.entries()) {
        expect(await lab.ask(waiter, { number: 1 })).toEqual(queued(index));
      }
      let number = 1;
      let held = holder;
      for (const next of waiters) {
        expect(await lab.release(held)).toBe(REPLY.unlocked);
        number += 1;
        const others = waiters.slice(waiters.indexOf(next) + 1);
        for (const other of others) {
          expect(await lab.ask(other, { number })).toEqual(queued(others.indexOf(other) + 1));
        }
        tokenOf(await lab.ask(next, { number }));
        held = next;
      }
      expect(await lab.client.exists(toQueueKey(held.key))).toBe(0);
    },
    without: [
      { scripts: ['ask'], piece: '(head == ticket or not head and not more)', by: 'true' },
      { scripts: ['ask'], piece: "if place then redis.call('zrem', queue, ticket) end", by: '' },
    ],
  },
  {
    rule: 'lets no other acquire take the lock while a live ticket leads',
    async prove(lab) {
      const { holder, waiters } = await withQueue(lab, 'aa');
      await lab.release(holder);
      const other = labCall({ key: holder.key });
      expect(await lab.acquire(other)).toBe(REPLY.refused);
      expect(await lab.acquire(other, { number: 1 })).toBe(REPLY.refused);
      expect(await lab.client.exists(holder.key)).toBe(0);
      tokenOf(await lab.ask(waiters[0]!, { number: 1 }));
    },
    without: [
      { scripts: ['acquire'], piece: '(not looked or head or more)', by: 'false' },
      {
        scripts: ['acquire'],
        piece: "redis.call('del', key)\n      pcall(wake, looked and head)",
        by: 'pcall(wake, looked and head)',
      },
    ],
  },
  {
    rule: 'is passed by once its tickets are dead: the sidecar has gone, or the time of the waiter is over',
    async prove(lab) {
      const gone = await withQueue(lab, 'aa');
      await lab.release(gone.holder);
      await lab.client.del(toPresenceKey('aa'));
      tokenOf(await lab.acquire(labCall({ key: gone.holder.key })));
      await lab.open('bb');
      const holder = labCall();
      await lab.acquire(holder);
      const brief = labCall({ key: holder.key, sidecar: 'bb', deadlineMs: Date.now() - 1000 });
      await lab.ask(brief);
      await lab.release(holder);
      tokenOf(await lab.acquire(labCall({ key: holder.key })));
    },
    without: [
      {
        scripts: ['acquire'],
        piece: "'exists', 'lock||present||' .. sidecar .. '||') == 1",
        by: "'exists', 'lock||present||' .. sidecar .. '||') >= 0",
      },
      { scripts: ['acquire', 'release'], piece: 'now <= tonumber(deadline)', by: 'true' },
    ],
  },
  {
    rule: 'drops no more than 100 dead tickets in one script',
    async prove(lab) {
      await lab.open('bb');
      const key = 'lock||lab||dead';
      const dead = Array.from({ length: 250 }, (_, index) => ({
        score: index,
        value: lab.ticketOf(labCall({ key, sidecar: 'aa' })),
      }));
      await lab.client.zAdd(toQueueKey(key), dead);
      const waiter = labCall({ key, sidecar: 'bb' });
      expect(await lab.ask(waiter)).toBe(REPLY.sweeping);
      expect(await lab.client.zCard(toQueueKey(key))).toBe(151);
      expect(await lab.acquire(labCall({ key }))).toBe(REPLY.refused);
      expect(await lab.client.zCard(toQueueKey(key))).toBe(51);
      expect(await lab.client.exists(key)).toBe(0);
      tokenOf(await lab.ask(waiter, { number: 1 }));
    },
    without: [
      { scripts: ['ask'], piece: 'for _ = 1, 100 do', by: 'for _ = 1, 1000 do' },
      { scripts: ['acquire'], piece: 'for _ = 1, 100 do', by: 'for _ = 1, 1000 do' },
      { scripts: ['ask'], piece: 'not head and not more', by: 'not head' },
    ],
  },
  {
    rule: 'gets no ghost by an ask that comes after its withdrawal',
    async prove(lab) {
      const { holder } = await withQueue(lab);
      await lab.open('ab');
      const ghost = labCall({ key: holder.key });
      await lab.withdraw(ghost, { hasTicket: true });
      expect(await lab.ask(ghost)).toBe(REPLY.superseded);
      expect(await lab.tickets(holder)).toEqual([]);
      await lab.release(holder);
      expect(await lab.ask(ghost)).toBe(REPLY.superseded);
      expect(await lab.client.exists(holder.key)).toBe(0);
    },
    without: [
      { scripts: ['ask'], piece: 'if seen and tonumber(seen) > number', by: 'if false' },
      { scripts: ['withdraw'], piece: 'if left >= 0 then', by: 'if false then' },
    ],
  },
  {
    rule: 'gets no ghost by an ask that comes after a later one was answered and withdrawn, or granted and released',
    async prove(lab) {
      await lab.open('ab');
      const call = labCall();
      tokenOf(await lab.ask(call, { number: 1 }));
      await lab.release(call);
      expect(await lab.ask(call, { number: 0 })).toBe(REPLY.superseded);
      expect(await lab.client.exists(call.key)).toBe(0);
    },
    without: [
      {
        scripts: ['ask'],
        piece: "if number > 0 then redis.call('set', marker",
        by: "if false then redis.call('set', marker",
      },
    ],
  },
  {
    rule: 'grants nothing to an ask that comes after its time',
    async prove(lab) {
      await lab.open('ab');
      const call = labCall();
      expect(await lab.ask(call, { notAfterMs: Date.now() - 1000 })).toBe(REPLY.stale);
      expect(await lab.client.exists([call.key, toQueueKey(call.key)])).toBe(0);
    },
    without: [{ scripts: ['ask'], piece: 'if now > tonumber(ARGV[4])', by: 'if false' }],
  },
  {
    rule: 'is left by a withdrawn ticket, and the grant of one is undone',
    async prove(lab) {
      const { holder, waiters } = await withQueue(lab, 'aa', 'bb');
      await lab.withdraw(waiters[0]!, { hasTicket: true });
      expect(await lab.tickets(holder)).toEqual([lab.ticketOf(waiters[1]!)]);
      await lab.release(holder);
      tokenOf(await lab.ask(waiters[1]!, { number: 1 }));
      expect(await lab.withdraw(waiters[1]!, { hasTicket: true })).toBe(REPLY.withdrawn);
      expect(await lab.client.exists([holder.key, toQueueKey(holder.key)])).toBe(0);
    },
    without: [{ scripts: ['withdraw'], piece: "run('zrem', KEYS[4], ARGV[4])", by: '' }],
  },
  {
    rule: 'has a place for a ticket that was dropped: its old one',
    async prove(lab) {
      const { holder, waiters, places } = await withQueue(lab, 'aa', 'bb', 'cc');
      await lab.client.zRem(toQueueKey(holder.key), lab.ticketOf(waiters[1]!));
      const again = { number: 1, place: places[1]! };
      expect(await lab.ask(waiters[1]!, again)).toEqual([
        REPLY.queued,
        places[1],
        1,
        expect.any(Number),
      ]);
      await lab.client.del(toQueueKey(holder.key));
      await lab.release(holder);
      await lab.ask(waiters[2]!, { number: 1, place: places[2]! });
      expect(await lab.ask(waiters[0]!, { number: 2, place: places[0]! })).toEqual(
        expect.anything(),
      );
    },
    without: [{ scripts: ['ask'], piece: "if not place and ARGV[9] ~= ''", by: 'if false' }],
  },
  {
    rule: 'gives places that rise, though the clock was set back',
    async prove(lab) {
      const { holder, waiters } = await withQueue(lab, 'aa');
      const inAnHour = (Date.now() + 3_600_000) * 1000;
      const ticket = { score: inAnHour, value: lab.ticketOf(waiters[0]!) };
      await lab.client.zAdd(toQueueKey(holder.key), ticket);
      const later = labCall({ key: holder.key, sidecar: 'aa' });
      expect(await lab.ask(later)).toEqual([
        REPLY.queued,
        String(inAnHour + 1),
        1,
        expect.any(Number),
      ]);
    },
    without: [
      { scripts: ['ask'], piece: ', (tonumber(last) or 0) + 1)', by: ')' },
      { scripts: ['ask'], piece: 'place = enter(whole(', by: 'place = enter((' },
    ],
  },
  {
    rule: 'tells how long the lease that is waited for lasts',
    async prove(lab) {
      const { waiters } = await withQueue(lab, 'aa');
      const reply = (await lab.ask(waiters[0]!, { number: 1 })) as number[];
      expect(reply[3]).toBeGreaterThan(50_000);
      expect(reply[3]).toBeLessThanOrEqual(60_000);
    },
  },
]);

describeRules('a session', [
  {
    rule: 'that is over takes no ask and no refresh, and changes nothing',
    async prove(lab) {
      const { holder, waiters } = await withQueue(lab, 'aa');
      const late = labCall({ key: holder.key, sidecar: 'aa' });
      for (const end of [() => lab.client.del(toPresenceKey('aa')), () => lab.open('aa', '2')]) {
        await end();
        expect(await lab.ask(late)).toBe(REPLY.lapsed);
        expect(await lab.ask(late, { number: 1 })).toBe(REPLY.lapsed);
        expect(await lab.refresh('aa', [holder.key])).toBe(REPLY.lapsed);
      }
      expect(await lab.tickets(holder)).toEqual([lab.ticketOf(waiters[0]!)]);
    },
    without: [
      { scripts: ['ask'], piece: "if redis.call('get', KEYS[5]) ~= ARGV[8]", by: 'if false' },
      { scripts: ['refresh'], piece: "if redis.call('get', KEYS[1]) ~= ARGV[1]", by: 'if false' },
    ],
  },
  {
    rule: 'is not opened after its time',
    async prove(lab) {
      expect(await lab.open('aa', '1', Date.now() - 1000)).toBe(REPLY.stale);
      expect(await lab.client.exists(toPresenceKey('aa'))).toBe(0);
    },
    without: [{ scripts: ['open'], piece: 'if now > tonumber(ARGV[2])', by: 'if false' }],
  },
  {
    rule: 'still knows the grant of an ask whose reply was lost, though it is over',
    async prove(lab) {
      await lab.open('ab');
      const call = labCall();
      const token = tokenOf(await lab.ask(call));
      await lab.client.del(toPresenceKey('ab'));
      expect(tokenOf(await lab.ask(call, { number: 1 }))).toBe(token);
    },
    without: [{ scripts: ['ask'], piece: 'if granted == attempt and', by: 'if false and' }],
  },
]);

describeRules('a refresh', [
  {
    rule: 'keeps tickets and queues alive, which end in 3 s without it',
    async prove(lab) {
      const { holder } = await withQueue(lab, 'aa');
      const keys = [toPresenceKey('aa'), toQueueKey(holder.key)];
      for (const key of keys) {
        const left = await lab.client.pTTL(key);
        expect(left).toBeGreaterThan(0);
        expect(left).toBeLessThanOrEqual(3000);
        await lab.client.pExpire(key, 1000);
      }
      await lab.refresh('aa', [holder.key]);
      for (const key of keys) expect(await lab.client.pTTL(key)).toBeGreaterThan(1500);
    },
    without: [
      { scripts: ['refresh'], piece: "redis.call('pexpire', KEYS[1], 3000)", by: '' },
      {
        scripts: ['refresh'],
        piece: "redis.call('pexpire', KEYS[index] .. '||queue||', 3000)",
        by: '',
      },
      { scripts: ['ask'], piece: "redis.call('pexpire', queue, 3000)", by: '' },
    ],
  },
  {
    rule: 'creates nothing',
    async prove(lab) {
      await lab.open('aa');
      await lab.refresh('aa', ['lock||lab||none']);
      await lab.refresh('bb', ['lock||lab||none']);
      const keys = await lab.client.keys('*');
      expect(keys.filter((key) => key !== TOKEN_KEY)).toEqual([toPresenceKey('aa')]);
    },
    without: [
      {
        scripts: ['refresh'],
        piece: "redis.call('exists', KEYS[index])",
        by: "redis.call('zadd', KEYS[index], 1, 'x')",
      },
    ],
  },
  {
    rule: 'names the locks that are free',
    async prove(lab) {
      const { holder } = await withQueue(lab, 'aa');
      const keys = ['lock||lab||free', holder.key, 'lock||lab||free too'];
      expect(await lab.refresh('aa', keys)).toEqual([REPLY.refreshed, 0, 2]);
    },
    without: [{ scripts: ['refresh'], piece: '= index - 2', by: '= index - 1' }],
  },
  {
    rule: 'that comes after its time keeps nothing alive',
    async prove(lab) {
      const { holder } = await withQueue(lab, 'aa');
      await lab.client.pExpire(toPresenceKey('aa'), 1000);
      const late = { notAfterMs: Date.now() - 1000 };
      expect(await lab.refresh('aa', [holder.key], late)).toBe(REPLY.stale);
      expect(await lab.client.pTTL(toPresenceKey('aa'))).toBeLessThanOrEqual(1000);
    },
    without: [{ scripts: ['refresh'], piece: 'if now > tonumber(ARGV[2])', by: 'if false' }],
  },
]);

describeRules('a ticket', [
  {
    rule: 'of a waiter that asks before its deadline leads until it has passed',
    async prove(lab) {
      await lab.open('ab');
      const holder = labCall();
      await lab.acquire(holder);
      const deadlineMs = inAMinute();
      const waiter = labCall({ key: holder.key, deadlineMs });
      await lab.ask(waiter);
      await lab.release(holder);
      tokenOf(await lab.ask(waiter, { number: 1, notAfterMs: deadlineMs }));
    },
  },
]);
