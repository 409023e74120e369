import { once } from 'node:events';
import {
  type ClientHttp2Session,
  connect,
  createServer,
  type Http2Server,
  type ServerHttp2Session,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';

import { Server, ServerCredentials } from '@grpc/grpc-js';

import { ApiRefusals } from '../../src/grpc/api-refusals';
import { CallGate } from '../../src/grpc/call-gate';
import { Connections } from '../../src/grpc/grpc-js/connections';
import { useStreamTable } from '../../src/grpc/grpc-js/stream-table';
import { eventually } from '../support/eventually';

type StreamMap = Map<number, object>;

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

  it('tells streams apart whose ids share a list', () => {
    const streams = table();
    const ids = [1, 129, 257, 2 ** 31 - 127];
    for (const id of ids) streams.set(id, { id });
    expect(streams.delete(129)).toBe(true);
    expect(ids.map((id) => streams.get(id))).toEqual([
      { id: 1 },
      undefined,
      { id: 257 },
      { id: 2 ** 31 - 127 },
    ]);
    expect([...streams.keys()].sort((a, b) => a - b)).toEqual([1, 257, 2 ** 31 - 127]);
  });

  it('visits every stream, even where each visit ends one', () => {
    const streams = table();
    const all = [1, 3, 5].map((id) => ({ id }));
    for (const stream of all) streams.set(stream.id, stream);
    const visited: unknown[] = [];
    streams.forEach((stream, id, visitedOf) => {
      visited.push(stream);
      visitedOf.delete(id);
    });
    expect(visited).toEqual(all);
    expect(streams.size).toBe(0);
  });

  it('does what else a Map does, for a Node that asks for it', () => {
    const streams = table();
    const map = new Map<number, object>();
    for (const id of [1, 3, 5]) {
      streams.set(id, { id });
      map.set(id, { id });
    }
    expect([...streams]).toEqual([...map]);
    expect([...streams.entries()]).toEqual([...map.entries()]);
    expect([...streams.keys()]).toEqual([...map.keys()]);
    expect([...streams.values()]).toEqual([...map.values()]);
    expect([streams.has(3), streams.has(7)]).toEqual([true, false]);
    expect(streams[Symbol.toStringTag]).toBe('Map');
    streams.clear();
    expect([streams.size, streams.get(1)]).toEqual([0, undefined]);
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
  let client: ClientHttp2Session;

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
    client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
  afterEach(async () => {
    client.destroy();
    server.close();
    await once(server, 'close');
  });

  async function call(path: string): Promise<string> {
    const stream = client.request({ ':path': path });
    stream.setEncoding('utf8');
    let text = '';
    for await (const part of stream) text += String(part);
    return text;
  }

  it('takes the table, and has none of hundreds of streams left once they are over', async () => {
    const answers = await Promise.all(Array.from({ length: 300 }, () => call('/')));
    expect(await given).toBe(true);
    expect(new Set(answers)).toEqual(new Set(['answer']));
    await eventually(async () => {
      expect(streamsOf(session).size).toBe(0);
    });
  });

  it('ends its streams with it', async () => {
    const held = client.request({ ':path': '/held' });
    await once(server, 'stream');
    expect(streamsOf(session).size).toBe(1);
    session.destroy();
    await once(held, 'close');
    expect(streamsOf(session).size).toBe(0);
  });
});

describe('the connections of a gRPC server', () => {
  let server: Server;
  let client: ClientHttp2Session | undefined;
  afterEach(() => {
    client?.destroy();
    server.forceShutdown();
  });

  it('have the table', async () => {
    server = new Server();
    const bind = promisify(server.bindAsync.bind(server));
    const port = await bind('127.0.0.1:0', ServerCredentials.createInsecure());
    new Connections({
      gate: new CallGate({
        refusals: new ApiRefusals({ methods: [], isAllowed: () => true, checkToken: undefined }),
        maxMessageBytes: -1,
      }),
      shares: undefined,
      eventStreamPaths: new Set(),
    }).watch(server);
    const { http2Servers } = server as unknown as { http2Servers: Map<Http2Server, unknown> };
    const session = once([...http2Servers.keys()][0]!, 'session') as Promise<[object]>;
    client = connect(`http://127.0.0.1:${port}`);
    expect(streamsOf((await session)[0]).constructor.name).toBe('StreamTable');
  });
});
