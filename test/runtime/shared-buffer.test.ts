import { readFileSync } from 'node:fs';
import { createServer, request as httpRequest, type Server } from 'node:http';
import { createServer as createTlsServer, request as httpsRequest } from 'node:https';
import { type AddressInfo, Socket } from 'node:net';
import path from 'node:path';

import { SharedBuffer } from '../../src/runtime/shared-buffer';
import { ByteBudget } from '../../src/servers/byte-budget';
import { OneAtATime } from '../../src/servers/one-at-a-time';
import { Turns } from '../../src/servers/turns';
import { UnreadAnswers } from '../../src/servers/unread-answers';

const TLS = path.join(__dirname, '../fixtures/tls');
const [cert, key] = ['server.crt', 'server.key'].map((file) => readFileSync(path.join(TLS, file)));

/** A server that answers with what it was sent. */
function createEcho(make: (listener: Parameters<typeof createServer>[1]) => Server): Server {
  const shares = { turns: new Turns(), waiting: new ByteBudget(2 ** 20) };
  const oneAtATime = new OneAtATime({ ...shares, unread: new UnreadAnswers(2 ** 24) });
  const server = make(
    oneAtATime.wrap((request, response) => {
      request.pipe(response);
    }),
  );
  oneAtATime.watch(server);
  return server;
}

describe.each([
  ['plain', () => createEcho((listener) => createServer(listener)), httpRequest],
  ['TLS', () => createEcho((listener) => createTlsServer({ cert, key }, listener)), httpsRequest],
] as const)('a %s connection that is read into the shared buffer', (_name, make, request) => {
  let server: Server;
  let accepted: Socket | undefined;
  let port: number;
  beforeAll(async () => {
    server = make();
    server.on('secureConnection', (socket: Socket) => (accepted = socket));
    server.on('connection', (socket: Socket) => (accepted = socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  function send(body: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const options = {
        port,
        host: '127.0.0.1',
        method: 'POST',
        servername: 'localhost',
        ca: cert,
      };
      const outgoing = request({ ...options, agent: false }, (response) => {
        let text = '';
        response.setEncoding('latin1').on('data', (part: string) => (text += part));
        response.on('end', () => {
          resolve(text);
        });
      });
      outgoing.on('error', reject).end(body);
    });
  }

  it('brings bodies of many connections whole', async () => {
    const bodies = Array.from({ length: 8 }, (_, n) => String(n).repeat(300_000));
    expect(await Promise.all(bodies.map(send))).toEqual(bodies);
  });

  // Where this fails, Node has moved what is reached into: nothing is broken, calls cost more.
  it('is read so on this Node', async () => {
    const symbols = () => Object.getOwnPropertySymbols(accepted);
    await send('x');
    const buffer = symbols().find(({ description }) => description === 'kBuffer');
    expect(Reflect.get(accepted!, buffer!)).toBeInstanceOf(Uint8Array);
  });
});

describe('a socket that is not as node:net makes it', () => {
  it('is left as it is', () => {
    expect(new SharedBuffer().read(new Socket(), () => undefined)).toBe(false);
  });
});
