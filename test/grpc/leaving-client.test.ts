import { once } from 'node:events';
import { connect, type ServerHttp2Session } from 'node:http2';
import { Server } from 'node:net';

import { GrpcFixture } from './grpc-fixture';

describe('a stop of the server on grpc-js', () => {
  afterEach(() => jest.restoreAllMocks());

  it('ends although the session of a client was destroyed at that moment', async () => {
    const events = jest.spyOn(Server.prototype, 'emit');
    const grpc = await new GrpcFixture({ transport: 'grpc-js' }).start();
    const client = connect(`http://127.0.0.1:${grpc.port}`);
    client.on('error', () => undefined);
    await once(client, 'remoteSettings');
    const emitted = events.mock.calls as unknown as readonly [string, ServerHttp2Session][];
    const [, session] = emitted.find(([name]) => name === 'session')!;
    session.destroy();
    // Node closes it in a later turn.
    expect([session.destroyed, session.closed]).toEqual([true, false]);
    await grpc.server.close();
  });
});
