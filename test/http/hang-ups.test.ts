import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

import type { Caller } from '../../src/lock/lock-service';
import { eventually } from '../support/eventually';
import { HttpFixture } from './http-fixture';

const BODY = '{"resourceId":"r","lockOwner":"o","expiryInSeconds":3600}';

const toRequest = (headers = ''): string =>
  `POST /v1.0-alpha1/lock/s HTTP/1.1\r\nhost: x\r\n${headers}content-length: ${BODY.length}\r\n\r\n${BODY}`;

/** Answers to so many are more than the kernel takes for a client that reads nothing. */
const MORE_THAN_FITS = 100_000;

describe('a client that hangs up at the moment of its answer', () => {
  const callers: Caller[] = [];
  let answer: () => Promise<unknown>;
  let http: HttpFixture;
  let socket: Socket;
  let received: string;

  beforeEach(async () => {
    [callers.length, received] = [0, ''];
    answer = () => Promise.resolve();
    const tryLock = async (_request: unknown, caller: Caller) => {
      callers.push(caller);
      await answer();
      return { success: true };
    };
    http = await new HttpFixture({ locks: { tryLock } }).start();
    socket = connect({ port: http.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
  });
  afterEach(async () => {
    socket.destroy();
    await http.server.close();
  });

  const listen = () => socket.on('data', (part: Buffer) => (received += part.toString()));
  const isWithdrawn = () => callers.at(-1)?.signal.aborted;

  // It closes its side and still reads: what it has read by the end is all that was sent.
  it.each([0, 1, 2, 3, 4, 5, 6].flatMap((turns) => Array.from({ length: 5 }, () => turns)))(
    'has an answer or no lock, and never both, %i turns after it',
    async (turns) => {
      listen();
      answer = async () => {
        socket.end();
        for (let turn = 0; turn < turns; turn += 1) await nextTurn();
      };
      socket.write(toRequest());
      await once(socket, 'end');
      await eventually(() => {
        expect(isWithdrawn()).toBe(!received.includes('"success":true'));
      });
    },
  );

  it('has no lock where it is cut before', async () => {
    answer = async () => {
      socket.resetAndDestroy();
      await nextTurn();
    };
    socket.write(toRequest());
    await eventually(() => {
      expect(isWithdrawn()).toBe(true);
    });
  });

  it('keeps the lock where it has closed the connection by its last request', async () => {
    listen();
    socket.write(toRequest('connection: close\r\n'));
    await once(socket, 'end');
    expect(received).toContain('"success":true');
    socket.resetAndDestroy();
    for (let turn = 0; turn < 10; turn += 1) await nextTurn();
    expect(isWithdrawn()).toBe(false);
  });

  it('has no lock where its answer still waited for room in the kernel', async () => {
    socket.pause();
    socket.write(toRequest().repeat(MORE_THAN_FITS));
    const looks = [-1];
    await eventually(
      () => {
        looks.push(callers.length);
        // Half a second of looks at a server that has stopped: it waits for room.
        expect(new Set(looks.slice(-25)).size).toBe(1);
      },
      { withinMs: 60_000 },
    );
    expect(callers.length).toBeLessThan(MORE_THAN_FITS);
    expect(isWithdrawn()).toBe(false);
    socket.resetAndDestroy();
    await eventually(() => {
      expect(isWithdrawn()).toBe(true);
    });
    // The latest calls, whose answers the kernel had no room for. How many that are depends on the Node.
    const isLost = callers.map(({ signal }) => signal.aborted);
    expect(isLost).toEqual([...isLost].sort());
    expect(isLost.filter(Boolean).length).toBeLessThan(10);
  }, 90_000);
});
