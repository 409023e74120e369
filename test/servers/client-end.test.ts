import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

import { isEndedByClient } from '../../src/servers/client-end';

describe('isEndedByClient', () => {
  let server: Server;
  let client: Socket;
  let accepted: Socket;

  beforeEach(async () => {
    server = createServer((socket) => {
      accepted = socket;
      socket.on('error', () => undefined).resume();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    client = connect(port, '127.0.0.1').on('error', () => undefined);
    await Promise.all([once(client, 'connect'), once(server, 'connection')]);
  });
  afterEach(() => {
    client.destroy();
    server.close();
  });

  it.each<[string, () => void, boolean]>([
    ['its client closed', () => client.end(), true],
    ['its client reset', () => client.resetAndDestroy(), true],
    ['was given up here', () => accepted.destroy(), false],
    [
      'timed out',
      () => accepted.destroy(Object.assign(new Error('late'), { code: 'ETIMEDOUT' })),
      false,
    ],
  ])('of a connection that %s', async (_how, end, expected) => {
    const closed = new Promise((resolve) => accepted.once('close', resolve));
    end();
    await closed;
    expect(isEndedByClient(accepted)).toBe(expected);
  });
});
