import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

import fc from 'fast-check';

import { ByteBudget } from '../../src/servers/byte-budget';
import { OneAtATime } from '../../src/servers/one-at-a-time';
import { Turns } from '../../src/servers/turns';
import { UnreadAnswers } from '../../src/servers/unread-answers';
import { eventually } from '../support/eventually';

/** A stated allowance for a busy machine. */
const PATIENCE = { withinMs: 15_000 };

const GET = 'GET / HTTP/1.1\r\nhost:x\r\n\r\n';

/** A server that answers each request with its path and body, and what was seen of it. */
class EchoServer {
  readonly server: Server;
  readonly bytes: ByteBudget;
  /** Requests that Node has parsed, and those that the listener was given. */
  parsed = 0;
  begun = 0;
  readonly #sockets: Socket[] = [];

  constructor(
    options: {
      readonly keptBytes?: number;
      readonly unreadBytes?: number;
      readonly answer?: (request: IncomingMessage, response: ServerResponse) => void;
    } = {},
  ) {
    this.bytes = new ByteBudget(options.keptBytes ?? 2 ** 20);
    const oneAtATime = new OneAtATime({
      turns: new Turns(),
      waiting: this.bytes,
      unread: new UnreadAnswers(options.unreadBytes ?? 2 ** 24),
    });
    const answer = options.answer ?? echo;
    this.server = createServer(
      oneAtATime.wrap((request, response) => {
        this.begun += 1;
        answer(request, response);
      }),
    );
    oneAtATime.watch(this.server);
    this.server.prependListener('request', () => {
      this.parsed += 1;
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async connect(): Promise<Socket> {
    const { port } = this.server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    this.#sockets.push(socket);
    socket.on('error', () => undefined);
    await new Promise((resolve) => socket.once('connect', resolve));
    return socket;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

function echo(request: IncomingMessage, response: ServerResponse): void {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    response.end(`<${request.url ?? ''} ${Buffer.concat(parts).toString()}>`);
  });
}

/** The data of a connection, without headers. */
function received(socket: Socket): { readonly bodies: readonly string[] } {
  let text = '';
  socket.on('data', (part: Buffer) => {
    text += part.toString('latin1');
  });
  return {
    get bodies() {
      return [...text.matchAll(/<(.*?)>/gs)].map(([, body = '']) => body);
    },
  };
}

describe('OneAtATime', () => {
  let echoServer: EchoServer;
  afterEach(() => echoServer.close());
  const start = async (options?: ConstructorParameters<typeof EchoServer>[0]) => {
    echoServer = await new EchoServer(options).start();
  };

  it('answers a thousand requests that came at once, in their order', async () => {
    await start();
    const socket = await echoServer.connect();
    const answers = received(socket);
    socket.write(
      Array.from({ length: 1000 }, (_, n) => `GET /${n} HTTP/1.1\r\nhost:x\r\n\r\n`).join(''),
    );
    await eventually(() => {
      expect(answers.bodies.length).toBe(1000);
    }, PATIENCE);

    expect(answers.bodies).toEqual(Array.from({ length: 1000 }, (_, n) => `/${n} `));
  });

  it('begins none before the one before is answered, and parses few ahead', async () => {
    const waiting: ServerResponse[] = [];
    await start({ answer: (_request, response) => waiting.push(response) });
    const socket = await echoServer.connect();
    socket.write(GET.repeat(10_000));
    for (let answered = 1; answered < 30; answered += 1) {
      await eventually(() => {
        expect(waiting.length).toBe(answered);
      });
      expect(echoServer.parsed - answered).toBeLessThanOrEqual(10);
      waiting.at(-1)?.end();
    }
  });

  it('begins no more answers than one that nobody reads', async () => {
    const body = '<'.padEnd(2 ** 23, 'x');
    await start({ unreadBytes: 2 ** 26, answer: (_request, response) => response.end(body) });
    const socket = await echoServer.connect();
    socket.pause();
    socket.write(GET.repeat(1000));
    await eventually(() => {
      expect(echoServer.begun).toBe(1);
    });
    // Another connection has had its answers, so this one has had its turns.
    const other = await echoServer.connect();
    other.resume();
    other.write(GET.repeat(5));
    await eventually(() => {
      expect(echoServer.begun).toBe(6);
    });
    socket.resume();
    await eventually(() => {
      expect(echoServer.begun).toBeGreaterThan(7);
    });
  });

  it('cuts the connections that have not read their answers for longest, where they are too much', async () => {
    const body = 'x'.repeat(2 ** 23);
    await start({ unreadBytes: 2 ** 24, answer: (_request, response) => response.end(body) });
    const silent: Socket[] = [];
    const closed: number[] = [];
    for (let index = 0; index < 4; index += 1) {
      const socket = await echoServer.connect();
      socket.once('end', () => closed.push(index));
      socket.pause();
      socket.write(GET);
      silent.push(socket);
      await eventually(() => {
        expect(echoServer.begun).toBe(index + 1);
      });
    }
    for (const socket of silent) socket.resume();
    await eventually(() => {
      expect(closed).toContain(0);
      expect(silent[3]?.bytesRead).toBeGreaterThan(body.length);
    });
    expect(silent[0]?.bytesRead).toBeLessThan(body.length);
  });

  it('gives others their turn between two requests of one connection', async () => {
    const order: string[] = [];
    await start({
      answer: ({ url = '' }, response) => {
        order.push(url);
        response.end();
      },
    });
    const [many, other] = [await echoServer.connect(), await echoServer.connect()];
    many.resume();
    many.write('GET /many HTTP/1.1\r\nhost:x\r\n\r\n'.repeat(20_000));
    await eventually(() => {
      expect(order).toContain('/many');
    });
    other.write('GET /other HTTP/1.1\r\nhost:x\r\n\r\n');
    await eventually(() => {
      expect(order).toContain('/other');
    });
    expect(order.indexOf('/other')).toBeLessThan(19_000);
  });

  it('holds no bytes once a connection is through, or gone', async () => {
    await start({ keptBytes: 2 ** 16 });
    const socket = await echoServer.connect();
    const answers = received(socket);
    socket.write(GET.repeat(1000));
    await eventually(() => {
      expect(answers.bodies.length).toBe(1000);
    }, PATIENCE);
    expect(echoServer.bytes.take(2 ** 16)).toBe(true);
    echoServer.bytes.give(2 ** 16);
    const silent = await echoServer.connect();
    silent.write(GET.repeat(1000));
    await eventually(() => {
      expect(echoServer.begun).toBeGreaterThan(1000);
    });
    silent.resetAndDestroy();
    await eventually(() => {
      const isFree = echoServer.bytes.take(2 ** 16);
      if (isFree) echoServer.bytes.give(2 ** 16);
      expect(isFree).toBe(true);
    });
  });

  it('cuts the connection for whose requests there is no room', async () => {
    await start({ keptBytes: 1000, answer: () => undefined });
    const [many, few] = [await echoServer.connect(), await echoServer.connect()];
    const closed = new Promise((resolve) => many.once('close', resolve));
    many.resume();
    few.resume();
    few.write(GET.repeat(2));
    many.write(GET.repeat(1000));
    await closed;
    expect(few.destroyed).toBe(false);
  });

  it('reads bodies of any kind, cut anywhere', async () => {
    await start();
    const body = fc.string({ unit: fc.constantFrom('a', '\r\n', '\r\n\r\n', '0'), maxLength: 300 });
    const requests = fc.array(fc.record({ body, isChunked: fc.boolean() }), {
      minLength: 1,
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(requests, fc.array(fc.nat(), { maxLength: 5 }), async (sent, cuts) => {
        const socket = await echoServer.connect();
        const answers = received(socket);
        const text = sent.map(toRequest).join('');
        for (const part of cutAt(text, cuts)) {
          await new Promise((resolve) => socket.write(part, resolve));
        }
        await eventually(() => {
          expect(answers.bodies).toEqual(sent.map(({ body: expected }, n) => `/${n} ${expected}`));
        });
        socket.destroy();
      }),
      { numRuns: 60 },
    );
  });
});

function toRequest(
  { body, isChunked }: { readonly body: string; readonly isChunked: boolean },
  index: number,
): string {
  const start = `POST /${index} HTTP/1.1\r\nhost:x\r\n`;
  if (!isChunked) return `${start}content-length:${body.length}\r\n\r\n${body}`;
  const chunk = body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`;
  return `${start}transfer-encoding:chunked\r\n\r\n${chunk}0\r\n\r\n`;
}

function cutAt(text: string, cuts: readonly number[]): readonly string[] {
  const places = [0, ...cuts.map((cut) => cut % text.length), text.length].sort((a, b) => a - b);
  return places.slice(1).map((end, index) => text.slice(places[index], end));
}
