import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

import { eventually } from '../support/eventually';
import { exchange, ServerBehind } from './passing-fixture';

/** More than the buffers between a client and the upstream. */
const LONG = 'v'.repeat(3_000_000);

const TARGET = '/v1.0/state/s';

type Answer = (received: IncomingMessage, response: ServerResponse) => void;

const later = (act: () => void) => setTimeout(act, 10).unref();

/** The behaviour of the upstream for a request. */
const UPSTREAM: Readonly<Record<string, Answer>> = {
  'echoes it': (received, response) => received.pipe(response),
  'never answers': (received) => received.resume(),
  'never reads nor answers': () => undefined,
  'answers without reading': (_received, response) => response.end('x'),
  'answers at length without reading': (_received, response) => response.end(LONG),
  'begins an answer and never ends it': (_received, response) => response.write('x'),
  'begins a long answer and never ends it': (_received, response) => response.write(LONG),
  'announces a longer answer than it sends': (_received, response) => {
    response.writeHead(200, { 'content-length': '10' }).write('x');
    later(() => response.destroy());
  },
  'is lost before its answer': (_received, response) => later(() => response.destroy()),
  'is lost within its answer': (_received, response) => {
    response.write(LONG);
    later(() => response.destroy());
  },
  'resets its connection': (_received, response) => {
    response.write('x');
    later(() => response.socket?.resetAndDestroy());
  },
};

const GET = `GET ${TARGET} HTTP/1.1\r\nhost: h\r\n\r\n`;
const post = (length: number) =>
  `POST ${TARGET} HTTP/1.1\r\nhost: h\r\ncontent-length: ${length}\r\n\r\n`;

/** The behaviour of clients, each on a connection of its own. */
const CLIENTS: readonly ((socket: Socket) => Promise<unknown> | Socket | boolean)[] = [
  // It reads the answer, or does not.
  (socket) => socket.resume().write(GET),
  (socket) => socket.write(GET),
  (socket) => socket.resume().write(post(1) + 'x'),
  (socket) => socket.resume().write(post(LONG.length) + LONG),
  (socket) => socket.write(post(LONG.length) + LONG),
  // It does not send all of the body.
  (socket) => socket.resume().write(`${post(10)}x`),
  (socket) => socket.resume().write(post(2 * LONG.length) + LONG),
  (socket) => socket.write(`${GET.trimEnd()}\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n`),
  // It closes its side, or leaves.
  (socket) => socket.resume().end(GET),
  (socket) => socket.end(`${post(10)}x`),
  async (socket) => {
    socket.write(GET);
    await pause(5);
    socket.destroy();
  },
  async (socket) => {
    socket.write(post(LONG.length) + LONG);
    await pause(20);
    socket.resetAndDestroy();
  },
];

describe('a passed HTTP request is over, whatever its clients do with it, where the upstream', () => {
  const behind = new ServerBehind();
  beforeEach(async () => {
    await behind.startBehind();
    await behind.start();
  });
  afterEach(() => behind.stop());

  it.each(Object.entries(UPSTREAM))('%s', async (_what, answer) => {
    behind.handle = answer;
    const { upstream, http } = behind.opened;
    const sockets = CLIENTS.map((use) => {
      const socket = connect(http.port, '127.0.0.1');
      socket.on('error', () => undefined);
      return { socket, used: use(socket) };
    });
    await Promise.all(
      sockets.map(async ({ used, socket }) => {
        await used;
        await connected(socket);
      }),
    );
    await eventually(() => {
      const open = sockets.filter(({ socket }) => !socket.destroyed);
      expect(upstream.calls.inFlight).toBeLessThanOrEqual(open.length);
    });
    for (const { socket } of sockets) socket.destroy();
    await eventually(() => {
      expect(upstream.calls.inFlight).toBe(0);
    });
    behind.handle = UPSTREAM['answers without reading']!;
    expect(await exchange(http.port, GET, 'x')).toContain('200 OK');
  });
});

async function connected(socket: Socket): Promise<void> {
  if (socket.connecting) await once(socket, 'connect');
}
