import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { connect as connectTls } from 'node:tls';

import { EventStreams } from '../../src/api/event-streams';
import { createGrpcServer } from '../../src/grpc/grpc-server';
import { TRANSPORT } from '../grpc/grpc-fixture';
import { HttpFixture } from '../http/http-fixture';
import { eventually } from '../support/eventually';
import { createFakeSidecar } from '../support/fake-sidecar';
import { RecordingLogger } from '../support/recording-logger';

const FOLDER = path.join(__dirname, '../fixtures/tls');
const tls = {
  cert: readFileSync(path.join(FOLDER, 'server.crt'), 'utf8'),
  key: readFileSync(path.join(FOLDER, 'server.key'), 'utf8'),
};

/** The first bytes of a TLS record that announces a ClientHello of 512 bytes. */
const HALF_A_HELLO = Buffer.from('1603010200010001fc0303', 'hex');

/** The handshake's time, the server's look for those past it, and an allowance for a busy machine. */
const CUT_WITHIN = { withinMs: 14_000 };

interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

const SERVERS: Readonly<Record<string, () => Promise<Listening>>> = {
  HTTP: async () => {
    const { port, server } = await new HttpFixture({ tls }).start();
    return { port, close: () => server.close() };
  },
  gRPC: async () => {
    const server = createGrpcServer({
      transport: TRANSPORT,
      methods: [],
      eventStreams: new EventStreams(),
      sidecar: createFakeSidecar(),
      logger: new RecordingLogger(),
      maxMessageBytes: 2 ** 20,
      tls,
    });
    const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
    return { port, close: () => server.close() };
  },
};

describe.each(Object.keys(SERVERS))('connections to the %s port with TLS', (name) => {
  let server: Listening;
  let isClosing = false;
  const sockets: Socket[] = [];
  const close = () => {
    if (isClosing) return Promise.resolve();
    isClosing = true;
    return server.close();
  };
  beforeEach(async () => {
    isClosing = false;
    server = await SERVERS[name]!();
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await close();
  });
  const open = async (bytes?: Buffer | string) => {
    const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
    sockets.push(socket);
    const state = { isEnded: false, socket };
    socket.on('error', () => undefined);
    for (const event of ['end', 'close']) socket.on(event, () => (state.isEnded = true));
    socket.resume();
    await new Promise((resolve) => socket.once('connect', resolve));
    if (bytes !== undefined) socket.write(bytes);
    return state;
  };

  it('are cut after 10 s where the handshake is not begun, not ended, or dripped', async () => {
    const silent = await open();
    const half = await open(HALF_A_HELLO);
    const dripping = await open(HALF_A_HELLO.subarray(0, 5));
    const drip = setInterval(() => dripping.socket.write('\0'), 300);
    const secure = connectTls({
      port: server.port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ...(name === 'gRPC' ? { ALPNProtocols: ['h2'] } : {}),
    });
    sockets.push(secure);
    secure.on('error', () => undefined);
    try {
      await new Promise((resolve) => secure.once('secureConnect', resolve));
      await eventually(() => {
        expect([silent.isEnded, half.isEnded, dripping.isEnded]).toEqual([true, true, true]);
      }, CUT_WITHIN);
      // The timer of one whose handshake is done is gone.
      if (name === 'gRPC') expect(secure.destroyed).toBe(false);
    } finally {
      clearInterval(drip);
    }
  });

  it.each([
    ['plain HTTP', 'GET /v1.0/healthz HTTP/1.1\r\nhost: x\r\n\r\n'],
    ['what is nothing at all', 'hello\r\n\r\n'],
  ])('are cut at once where they bring %s', async (_what, bytes) => {
    const state = await open(bytes);
    await eventually(() => {
      expect(state.isEnded).toBe(true);
    });
  });

  it('do not keep a stop waiting', async () => {
    const states = [await open(), await open(HALF_A_HELLO), await open()];
    await close();
    await eventually(() => {
      expect(states.every(({ isEnded }) => isEnded)).toBe(true);
    });
  });
});

describe('connections to the HTTP port without TLS', () => {
  it('are cut after 10 s where nothing comes', async () => {
    const http = await new HttpFixture().start();
    const socket = connect(http.port, '127.0.0.1');
    let isEnded = false;
    socket.on('end', () => {
      isEnded = true;
    });
    socket.resume();
    await eventually(() => {
      expect(isEnded).toBe(true);
    }, CUT_WITHIN);
    await http.server.close();
  });
});
