import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { openSocket } from '../hostile/attack-sockets';
import { body, callHeaders, message, preface, setting } from '../hostile/http2-frames';
import { daprPath, GrpcFixture } from './grpc-fixture';

const CALLS_AT_ONCE = 400;

/** With 0 no header of an answer is shortened (RFC 9113, 6.5.2). */
const HEADER_TABLE_SIZE = 1;

/** Their answers are more than the kernel takes; a connection that answers no ping is cut after 15 s. */
const MORE_THAN_FITS = 40_000;

/** Calls with a wrong token, more of them in one piece than strangers may cost in a turn. */
function guesses(from: number): Buffer {
  const calls = Array.from({ length: CALLS_AT_ONCE }, (_, index) => {
    const stream = from + 2 * index;
    const headers = callHeaders(stream, daprPath('TryLockAlpha1'), { 'dapr-api-token': 'guess' });
    return Buffer.concat([headers, body(stream, message(Buffer.alloc(0)), true)]);
  });
  return Buffer.concat(calls);
}

describe('strangers who call as fast as they can', () => {
  let grpc: GrpcFixture;
  let socket: Socket;

  beforeEach(async () => {
    grpc = await new GrpcFixture({ token: 'secret' }).start();
    socket = await openSocket(grpc.port);
    socket.write(preface(setting(HEADER_TABLE_SIZE, 0)));
  });
  afterEach(async () => {
    socket.destroy();
    await grpc.stop();
  });

  /** Calls until it is cut, or has made so many; says whether it was cut. */
  const guessUntilCut = async (most: number): Promise<boolean> => {
    const closed = new Promise((resolve) => socket.once('close', resolve));
    for (let made = 0; made < most && !socket.destroyed; made += CALLS_AT_ONCE) {
      const taken = new Promise((resolve) => socket.write(guesses(1 + 2 * made), resolve));
      await Promise.race([taken, closed]);
      await nextTurn();
    }
    return socket.destroyed;
  };

  it('are cut where they do not read their refusals', async () => {
    socket.pause();
    await expect(guessUntilCut(MORE_THAN_FITS)).resolves.toBe(true);
  }, 60_000);

  it('are all refused where they read', async () => {
    await expect(guessUntilCut(4000)).resolves.toBe(false);
  });
});
