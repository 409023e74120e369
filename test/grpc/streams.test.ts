import { once } from 'node:events';
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { connect as connectSocket, type Socket } from 'node:net';

import { type Client, Metadata, status } from '@grpc/grpc-js';

import { loadDaprService } from '../../src/grpc/proto-files';
import { GrpcStreams, WATCH_PATH } from '../api/stream-fixture';
import { eventually } from '../support/eventually';
import { daprPath, TRANSPORT } from './grpc-fixture';

const { TryLockAlpha1: tryLock } = loadDaprService();

/** A message with its prefix. */
const EMPTY_MESSAGE = Buffer.alloc(5);

describe('streams of events over gRPC', () => {
  let streams: GrpcStreams;
  let session: ClientHttp2Session | undefined;
  afterEach(async () => {
    session?.destroy();
    session = undefined;
    await streams.stop();
  });

  const connectTo = (port: number) => {
    session = connect(`http://127.0.0.1:${port}`);
    session.on('error', () => undefined);
    return session;
  };
  const begin = (path: string, message = EMPTY_MESSAGE, headers = {}) => {
    const call = session!.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    call.on('error', () => undefined);
    call.resume();
    call.end(message);
    return call;
  };
  const holdRaw = async () => {
    begin(WATCH_PATH);
    await eventually(() => {
      expect(streams.handlers).toHaveLength(1);
    });
    return streams.handlers[0]!;
  };

  it('end with the deadline of their client', async () => {
    streams = new GrpcStreams();
    await streams.start();
    const client = streams.open('r', { deadlineMs: 300 });
    await eventually(() => {
      // The client may end the call by its own clock before the server does.
      expect([['deadline'], ['left']]).toContainEqual(streams.handlers[0]?.told);
    });
    await eventually(() => {
      expect(client.ended).toMatch(/^DEADLINE_EXCEEDED/);
    });
  });

  describe('are left by a client', () => {
    beforeEach(async () => {
      streams = new GrpcStreams();
      await streams.start();
    });

    it.each<[string, (socket: Socket, session: ClientHttp2Session) => void]>([
      ['that resets its connection', (socket) => socket.resetAndDestroy()],
      ['that closes its connection', (socket) => socket.destroy()],
      [
        'that says goodbye',
        (_socket, left) => {
          left.destroy();
        },
      ],
    ])('%s', async (_how, leave) => {
      let socket: Socket | undefined;
      session = connect(`http://127.0.0.1:${streams.grpc.port}`, {
        createConnection: () => {
          socket = connectSocket(streams.grpc.port, '127.0.0.1');
          return socket;
        },
      });
      session.on('error', () => undefined);
      const handler = await holdRaw();
      leave(socket!, session);
      await eventually(() => {
        expect(handler.told).toEqual(['left']);
      });
    });
  });

  it('have fallen silent where the sidecar has given their connection up', async () => {
    streams = new GrpcStreams();
    await streams.start();
    await once(connectTo(streams.grpc.port), 'connect');
    const handler = await holdRaw();
    // So many cancels are more than one connection of grpc-js may make. Our own HTTP/2 minds requests
    // that are shorter than they say.
    const headers = TRANSPORT === 'lean' ? { 'content-length': '9' } : {};
    const path = daprPath('GetMetadata');
    const calls = Array.from({ length: 2100 }, () => begin(path, EMPTY_MESSAGE, headers));
    if (TRANSPORT === 'grpc-js') for (const call of calls) call.close(constants.NGHTTP2_CANCEL);
    await eventually(() => {
      expect(handler.told).toEqual(['silent']);
    });
  });

  it('are bounded on each connection', async () => {
    streams = new GrpcStreams({ streamBounds: { total: 10, perConnection: 1 } });
    await streams.start();
    streams.open();
    await eventually(() => {
      expect(streams.handlers).toHaveLength(1);
    });
    const refused = streams.open();
    await eventually(() => {
      expect(refused.ended).toMatch(
        /^RESOURCE_EXHAUSTED the limit of 1 open streams on this connection/,
      );
    });
    connectTo(streams.grpc.port);
    begin(WATCH_PATH);
    await eventually(() => {
      expect(streams.handlers).toHaveLength(2);
    });
  });

  it('leave room for unary calls beside them, however many there are', async () => {
    // Without that, a connection could have 8 calls open in all.
    streams = new GrpcStreams({ maxConcurrentCalls: 2 });
    await streams.start();
    for (let count = 1; count <= 100; count += 1) streams.open();
    await eventually(() => {
      expect(streams.handlers).toHaveLength(100);
    });
    await expect(lock(streams.client)).resolves.toBe(status.OK);
    for (const { stream } of streams.handlers) stream.end();
  });

  it('can be many on a connection', async () => {
    streams = new GrpcStreams({ maxConcurrentCalls: 1000 });
    await streams.start();
    await once(connectTo(streams.grpc.port), 'connect');
    for (let count = 1; count <= 2000; count += 1) begin(WATCH_PATH);
    await eventually(
      () => {
        expect(streams.handlers).toHaveLength(2000);
      },
      { withinMs: 30_000 },
    );
    expect(streams.handlers.filter(({ stream }) => !stream.isOpen)).toEqual([]);
  }, 60_000);
});

function lock(client: Client): Promise<status> {
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      tryLock!.path,
      tryLock!.requestSerialize,
      tryLock!.responseDeserialize,
      { storeName: 's', resourceId: 'r', lockOwner: 'o', expiryInSeconds: 5 },
      new Metadata(),
      { deadline: Date.now() + 5000 },
      (error) => {
        resolve(error === null ? status.OK : error.code);
      },
    );
  });
}
