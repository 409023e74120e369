import * as fc from 'fast-check';

import { LONGEST_REPLY_BYTES, ReplyMeter } from '../../../src/stores/redis/reply-bound';
import { eventually } from '../../support/eventually';
import { answerAll, createStore, FakeServer, noAbort, tryLockCall } from './redis-fixture';

const MIB = 'x'.repeat(2 ** 20);

/** Replies that a server may send without end, or announce. */
const ENDLESS: readonly (readonly [string, string, boolean])[] = [
  ['a string whose length is announced', '$4294967296\r\n', false],
  ['a verbatim string', '=4294967296\r\n', false],
  ['a long error', '!4294967296\r\n', false],
  ['a list of 2^31 elements', '*2147483648\r\n', false],
  ['a set', '~100000000\r\n', false],
  ['a map', '%100000000\r\n', false],
  ['a push', '>100000000\r\n', false],
  ['lists in lists', '*1\r\n'.repeat(300_000), false],
  ['a simple string without an end', '+', true],
  ['a simple string of line feeds', '+\n\n', true],
  ['an error without an end', '-ERR ', true],
  ['a number without an end', ':1', true],
  ['a length without an end', '$1', true],
];

describe('ReplyMeter', () => {
  it.each(ENDLESS)('ends %s', (_name, start, isFilled) => {
    const meter = new ReplyMeter();
    const isTaken = meter.take(Buffer.from(isFilled ? `${start}${'\n'.repeat(10)}${MIB}` : start));
    expect(isTaken).toBe(false);
    expect(meter.take(Buffer.from(':1\r\n'))).toBe(false);
  });

  it('takes any number of replies that are short, however they are cut', () => {
    const reply = fc.constantFrom(
      ':1\r\n',
      '+OK\r\n',
      '-ERR no\r\n',
      '$-1\r\n',
      '*-1\r\n',
      '*0\r\n',
      `$60000\r\n${'\r\n'.repeat(30_000)}\r\n`,
      '*2\r\n*2\r\n:1\r\n$3\r\na\r\n\r\n*1\r\n+x\r\n',
      '%1\r\n+a\r\n:1\r\n',
      '>2\r\n+a\r\n:1\r\n',
    );
    const cuts = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.array(reply, { minLength: 1, maxLength: 40 }), cuts, (replies, sizes) => {
        const meter = new ReplyMeter();
        const bytes = Buffer.from(replies.join(''));
        let isTaken = true;
        for (let at = 0, n = 0; at < bytes.length; n += 1) {
          const size = sizes[n % sizes.length]!;
          isTaken &&= meter.take(bytes.subarray(at, at + size));
          at += size;
        }
        const rest = `$${LONGEST_REPLY_BYTES - 100}\r\n`;
        return isTaken && meter.take(Buffer.from(rest));
      }),
      { numRuns: 60 },
    );
  });
});

describe('a Redis that sends without end', () => {
  it.each(ENDLESS)('%s: the connection is cut, and the outcome is unknown', async (...row) => {
    const [, start, isFilled] = row;
    const reply = isFilled ? `${start}${MIB}${MIB}` : `${start}${MIB}`;
    const server = new FakeServer(answerAll(reply));
    const { store, logger } = createStore(await server.listen());
    await store.init(noAbort());
    await expect(store.tryLock(tryLockCall('k'), noAbort())).rejects.toMatchObject({
      kind: 'protocol',
      outcome: 'unknown',
      message: expect.stringContaining('a reply was longer than 1048576 bytes') as unknown,
    });
    await eventually(() => {
      expect(logger.messages('warn')).toEqual([
        'Component lockstore: Connection to Redis lost: a reply was longer than 1048576 bytes, or nested too deeply; reconnecting',
      ]);
    });
    await store.close();
    await server.close();
  });

  it('at its greeting: the start fails with the reason', async () => {
    const server = new FakeServer((socket) => socket.write(`$4294967296\r\n${MIB}`));
    const { store } = createStore(await server.listen());
    await expect(store.init(AbortSignal.timeout(2000))).rejects.toThrow(
      'error connecting to Redis: a reply was longer than 1048576 bytes',
    );
    await store.close();
    await server.close();
  });

  it('as a Sentinel: the start fails with the reason', async () => {
    const server = new FakeServer((socket) => socket.write(`*2147483648\r\n`));
    const failover = { failover: 'true', sentinelMasterName: 'mymaster' };
    const { store } = createStore(await server.listen(), failover);
    await expect(store.init(AbortSignal.timeout(2000))).rejects.toThrow(
      /no Sentinel knows a master "mymaster": a reply was longer than 1048576 bytes/,
    );
    await store.close();
    await server.close();
  });
});
