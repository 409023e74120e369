import { once } from 'node:events';
import { createServer, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';

import { DestroyedSessions } from '../../src/grpc/grpc-js/destroyed-sessions';
import { openSocket } from '../hostile/attack-sockets';
import { callHeaders, frame, preface, setting } from '../hostile/http2-frames';
import { eventually } from '../support/eventually';

/** More than the kernel takes for a client that doesn't read, in one answer. */
const MORE_THAN_FITS = Buffer.alloc(16 * 1024 * 1024);

/** Windows of a client that takes any amount at once (RFC 9113, 6.5.2 and 6.9). */
const INITIAL_WINDOW = setting(4, 2 ** 31 - 1);
const WIDER = frame(8, 0, { payload: Buffer.from([0x7f, 0, 0, 0]) });

describe('sockets of destroyed sessions', () => {
  let server: Http2Server;
  let client: Socket;
  let socket: Socket;
  let session: ServerHttp2Session;
  const sessions = new DestroyedSessions();
  const look = () => {
    sessions.look([{ session, socket }]);
  };

  beforeEach(async () => {
    server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    server.on('stream', (stream) => {
      stream.on('error', () => undefined);
      stream.respond();
      stream.end(MORE_THAN_FITS);
    });
    server.prependListener('connection', (arrived: Socket) => {
      socket = arrived;
    });
    const began = once(server, 'session');
    client = await openSocket((server.address() as AddressInfo).port);
    client.on('error', () => undefined);
    client.pause();
    client.write(Buffer.concat([preface(INITIAL_WINDOW), WIDER, callHeaders(1, '/')]));
    [session] = (await began) as [ServerHttp2Session];
  });
  afterEach(() => {
    client.destroy();
    socket.destroy();
    server.close();
  });

  const untilUnread = () =>
    eventually(() => {
      const { _handle } = socket as unknown as { _handle: { writeQueueSize: number } };
      expect(_handle.writeQueueSize).toBeGreaterThan(0);
    });

  it('are closed at the second look, where their client does not read', async () => {
    await untilUnread();
    session.destroy();
    look();
    expect(socket.destroyed).toBe(false);
    look();
    expect(socket.destroyed).toBe(true);
  });

  it('are left alone while their session lives', async () => {
    await untilUnread();
    look();
    look();
    expect(socket.destroyed).toBe(false);
  });
});
