import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

import { FRAME, SETTING } from '../../src/http2/protocol';
import { preface, setting } from '../hostile/http2-frames';
import { eventually } from '../support/eventually';
import { begin, data, ping, windowUpdate } from './client-frames';
import { TextServer } from './text-server';

const PATIENCE = { lastAnswersMs: 50, idleMs: 50, answerMs: 50, unreadMs: 1000 };

describe('a silent client', () => {
  let server: TextServer;
  let socket: Socket;

  beforeEach(async () => {
    server = new TextServer(undefined, PATIENCE);
    socket = connect(await server.start(), '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
  });
  afterEach(async () => {
    socket.destroy();
    await server.stop();
  });

  const isGone = () =>
    eventually(() => {
      expect(server.connections.size).toBe(0);
    });

  it.each([
    ['sends nothing', Buffer.alloc(0)],
    ['sends a part of the preface', preface().subarray(0, 10)],
    ['answers no PING', preface()],
  ])('loses its connection where it %s', async (_what, bytes) => {
    socket.resume();
    socket.write(bytes);
    await isGone();
  });

  it('keeps its connection while it answers PINGs', async () => {
    socket.write(preface());
    let answers = 0;
    socket.on('data', (bytes: Buffer) => {
      const asks = bytes.length >= 17 && bytes[bytes.length - 17 + 3] === FRAME.ping;
      if (asks) answers += 1;
      if (asks && answers < 10) socket.write(ping(1));
    });
    await isGone();
    expect(answers).toBe(10);
  });

  it('has longer to read answers, during which it is not asked for anything', async () => {
    const content = Array.from({ length: 1000 }, () => data(1, Buffer.alloc(16_384)));
    socket.pause();
    socket.write(
      Buffer.concat([
        preface(setting(SETTING.initialWindowSize, 2 ** 30)),
        windowUpdate(0, 2 ** 30),
        begin(1),
        ...content,
      ]),
    );
    const startedAtMs = performance.now();
    await isGone();
    expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(PATIENCE.unreadMs);
  });
});
