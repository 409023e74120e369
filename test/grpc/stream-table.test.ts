import { connect, createServer, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';

import * as streamTable from '../../src/grpc/stream-table';
import { GrpcFixture } from './grpc-fixture';

const { useStreamTable } = streamTable;

interface StreamMap {
  readonly size: number;
  get(id: number): unknown;
  set(id: number, stream: object): unknown;
  delete(id: number): boolean;
  forEach(visit: (stream: unknown) => void): void;
}

function streamsOf(session: object): StreamMap {
  const [key] = Object.getOwnPropertySymbols(session).filter(
    ({ description }) => description === 'state',
  );
  return (session as Record<symbol, { streams: StreamMap }>)[key!]!.streams;
}

describe('the table of the streams of a session', () => {
  const fake = (streams: unknown) =>
    ({ [Symbol('state')]: { streams } }) as unknown as ServerHttp2Session;

  function table(): StreamMap {
    const session = fake(new Map());
    expect(useStreamTable(session)).toBe(true);
    return streamsOf(session);
  }

  it('keeps, counts and forgets streams as a Map does', () => {
    const streams = table();
    const [a, b] = [{}, {}];
    streams.set(1, a);
    streams.set(2 ** 31 - 1, b);
    streams.set(1, b);
    expect(streams.size).toBe(2);
    expect(streams.get(1)).toBe(b);
    expect(streams.get(3)).toBeUndefined();
    expect(streams.delete(3)).toBe(false);
    expect(streams.delete(1)).toBe(true);
    expect(streams.delete(1)).toBe(false);
    expect(streams.get(1)).toBeUndefined();
    expect(streams.size).toBe(1);
  });

  it('visits every stream, even where each visit ends one', () => {
    const streams = table();
    const all = [1, 3, 5].map((id) => ({ id }));
    for (const stream of all) streams.set(stream.id, stream);
    const visited: unknown[] = [];
    streams.forEach((stream) => {
      visited.push(stream);
      streams.delete((stream as { id: number }).id);
    });
    expect(visited).toEqual(all);
    expect(streams.size).toBe(0);
  });

  it.each([
    ['has streams already', fake(new Map([[1, {}]]))],
    ['keeps them elsewhere', {} as unknown as ServerHttp2Session],
    ['keeps them in a list', fake([])],
    ['keeps none', fake(undefined)],
  ])('is not given to a session that %s', (_reason, session) => {
    expect(useStreamTable(session)).toBe(false);
  });
});

describe('a session of this Node', () => {
  let server: Http2Server;
  let given: Promise<boolean>;
  let session: ServerHttp2Session;

  beforeEach(async () => {
    server = createServer();
    given = once(server, 'session').then(([arrived]: ServerHttp2Session[]) => {
      session = arrived!;
      return useStreamTable(session);
    });
    server.on('stream', (stream, { ':path': path }) => {
      if (path === '/held') return;
      stream.respond();
      stream.end('answer');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    server.close();
  });

  async function call(client: ReturnType<typeof connect>, path: string): Promise<string> {
    const stream = client.request({ ':path': path });
    stream.setEncoding('utf8');
    let text = '';
    for await (const part of stream) text += String(part);
    return text;
  }

  const client = () => connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);

  it('takes the table, and has none of hundreds of streams left once they are over', async () => {
    const sender = client();
    const answers = await Promise.all(Array.from({ length: 300 }, () => call(sender, '/')));
    expect(await given).toBe(true);
    expect(new Set(answers)).toEqual(new Set(['answer']));
    await new Promise((resolve) => setImmediate(resolve));
    expect(streamsOf(session).size).toBe(0);
    sender.close();
    await once(session, 'close');
  });

  it('ends its streams with it', async () => {
    const sender = client();
    const held = sender.request({ ':path': '/held' });
    await once(server, 'stream');
    expect(streamsOf(session).size).toBe(1);
    session.destroy();
    await once(held, 'close');
    expect(streamsOf(session).size).toBe(0);
    sender.destroy();
  });
});

describe('the gRPC server', () => {
  it('gives each of its connections the table', async () => {
    const use = jest.spyOn(streamTable, 'useStreamTable');
    const grpc = await new GrpcFixture().start();
    await grpc.call('TryLockAlpha1', {});
    expect(use.mock.results).toEqual([{ type: 'return', value: true }]);
    await grpc.stop();
    use.mockRestore();
  });
});
