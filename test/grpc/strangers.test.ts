import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { loadDaprService } from '../../src/grpc/proto-files';
import { openSocket } from '../hostile/attack-sockets';
import {
  AnsweredStreams,
  body,
  callHeaders,
  message,
  ping,
  preface,
  setting,
} from '../hostile/http2-frames';
import { eventually } from '../support/eventually';
import { untilCut } from '../support/until-cut';
import { daprPath, GrpcFixture } from './grpc-fixture';

const CALLS_AT_ONCE = 400;

/** With 0 no header of an answer is shortened (RFC 9113, 6.5.2). */
const HEADER_TABLE_SIZE = 1;

/** Their answers are more than the kernel takes; a connection that answers no ping is cut after 15 s. */
const MORE_THAN_FITS = 100_000;

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

  it.each([
    ['TryLockAlpha1', daprPath('TryLockAlpha1')],
    ['health checks', '/grpc.health.v1.Health/Check'],
  ])('are cut where their headers are long: %s', async (_name, path) => {
    const cut = untilCut(socket);
    const long = { a: 'x'.repeat(30_000), b: 'y'.repeat(30_000) };
    socket.write(
      Buffer.concat(
        Array.from({ length: 10 }, (_, index) => callHeaders(2 * index + 1, path, long)),
      ),
    );
    await cut;
  });

  it('may send long headers where they have the token', async () => {
    const headers = { 'dapr-api-token': 'secret', a: 'x'.repeat(30_000) };
    const answers = new AnsweredStreams(socket);
    for (let stream = 1; stream < 40; stream += 2) {
      const request = loadDaprService().TryLockAlpha1!.requestSerialize({ storeName: 's' });
      const call = callHeaders(stream, daprPath('TryLockAlpha1'), headers);
      socket.write(Buffer.concat([call, body(stream, message(request), true)]));
    }
    socket.write(ping());
    await eventually(() => {
      expect(answers.pings).toBe(1);
    });
    expect(socket.destroyed).toBe(false);
  });

  it('are all refused where they read', async () => {
    await expect(guessUntilCut(4000)).resolves.toBe(false);
  });
});
