import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

import { HttpStreams } from '../api/stream-fixture';
import { callHttp } from '../support/http-call';
import { eventually } from '../support/eventually';

describe('streams of events over HTTP', () => {
  let streams: HttpStreams;
  let socket: Socket | undefined;
  beforeEach(async () => {
    streams = new HttpStreams();
    await streams.start();
  });
  afterEach(async () => {
    socket?.destroy();
    await streams.stop();
  });

  const opened = () =>
    eventually(() => {
      expect(streams.handlers).toHaveLength(1);
    });

  it('are lines of JSON, by each of the forms of their method', async () => {
    for (const [method, path] of [
      ['POST', '/test/some%20thing/watch'],
      ['GET', '/test/some%20thing'],
    ] as const) {
      const answer = callHttp(streams.http.port, { method, path });
      await opened();
      const [handler] = streams.handlers.splice(0);
      handler!.stream.send({ key: 'a', value: 'one\ntwo' });
      handler!.stream.send({ key: 'b', value: '' });
      handler!.stream.end();
      await expect(answer).resolves.toMatchObject({
        status: 200,
        headers: { 'content-type': 'application/x-ndjson' },
        body: '{"key":"a","value":"one\\ntwo"}\n{"key":"b","value":""}\n',
      });
      expect(handler!.resourceId).toBe('some thing');
    }
  });

  it.each<[string, (left: Socket) => void]>([
    ['resets its connection', (left) => left.resetAndDestroy()],
    ['closes its side', (left) => left.end()],
  ])('are left by a client that %s', async (_how, leave) => {
    socket = connect(streams.http.port, '127.0.0.1').on('error', () => undefined);
    socket.write('POST /test/r/watch HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n');
    await opened();
    const [handler] = streams.handlers;
    handler!.stream.send({ key: 'a', value: '' });
    await once(socket, 'data');
    leave(socket);
    await eventually(() => {
      expect(handler!.told).toEqual(['left']);
    });
  });

  it('leave their connection to the next request once they have ended', async () => {
    socket = connect(streams.http.port, '127.0.0.1');
    let received = '';
    socket.on('data', (part: Buffer) => (received += part.toString()));
    socket.write('POST /test/r/watch HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n');
    await opened();
    streams.handlers[0]!.stream.end();
    await eventually(() => {
      expect(received).toContain('\r\n0\r\n\r\n');
    });
    socket.write('GET /v1.0/metadata HTTP/1.1\r\nhost: x\r\n\r\n');
    await eventually(() => {
      expect(received).toContain('"id":"myapp"');
    });
  });
});
