import { once } from 'node:events';
import { type ClientHttp2Session, connect, constants, type OutgoingHttpHeaders } from 'node:http2';

import { loadDaprService } from '../../src/grpc/proto-files';
import { parseEndpoint } from '../../src/upstream/endpoint';
import { Upstream } from '../../src/upstream/upstream';
import { eventually } from '../support/eventually';
import { echo, RawUpstream, type ReceivedCall } from '../support/raw-upstream';
import { RecordingLogger } from '../support/recording-logger';
import { daprPath, GrpcFixture } from './grpc-fixture';
import { rawCall } from './raw-http2';

const TRAILERS = { waitForTrailers: true };

const STATE = daprPath('GetState');

/** A message with its prefix. */
function frame(text: string | Buffer, flag = 0): Buffer {
  const body = Buffer.from(text);
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(body.length, 1);
  return Buffer.concat([prefix, body]);
}

describe('a gRPC call that is not served here, in front of another sidecar', () => {
  let behind: RawUpstream;
  let upstream: Upstream;
  let grpc: GrpcFixture;
  let session: ClientHttp2Session;
  const logger = new RecordingLogger();

  const start = async (
    options: ConstructorParameters<typeof GrpcFixture>[0] = {},
    maxCalls = 1000,
    port = behind.port,
  ) => {
    upstream = new Upstream({
      grpc: parseEndpoint(`127.0.0.1:${port}`),
      http: undefined,
      maxCalls,
      apiToken: undefined,
      goneWithinMs: 1000,
      secureContext: () => {
        throw new Error('no TLS here');
      },
      logger,
    });
    grpc = await new GrpcFixture({ ...options, upstream }).start();
    session = connect(`http://127.0.0.1:${grpc.port}`);
    session.on('error', () => undefined);
  };
  const open = (headers: OutgoingHttpHeaders = {}) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': STATE,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    stream.on('error', () => undefined);
    return stream;
  };

  beforeEach(async () => {
    behind = await new RawUpstream(echo).start();
  });
  afterEach(async () => {
    session.destroy();
    await grpc.stop();
    upstream.close();
    await behind.stop();
  });

  it('arrives with every header in its order, and with every byte', async () => {
    await start();
    const stream = open({
      'x-many': ['one', 'two', 'three'],
      'key-bin': ['AAEC/w==', 'AAEC', 'a,b'],
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      'grpc-encoding': 'gzip',
      'grpc-accept-encoding': 'identity,deflate,gzip',
      'grpc-timeout': '10S',
      'user-agent': 'a-client/1.0',
      'dapr-app-id': 'other',
      latin: 'caf\u00e9',
      empty: '',
    });
    const sent = Buffer.concat([frame('one'), frame(Buffer.from([0, 255, 1]), 1), frame('')]);
    stream.end(sent);
    const parts: Buffer[] = [];
    stream.on('data', (part: Buffer) => parts.push(part));
    await once(stream, 'close');
    expect(Buffer.concat(parts)).toEqual(sent);
    const [{ rawHeaders }] = behind.calls as [ReceivedCall];
    const received = rawHeaders.flatMap((name, at) =>
      at % 2 === 0 && !name.startsWith(':') ? [[name, rawHeaders[at + 1]]] : [],
    );
    expect(received.sort()).toEqual(
      [
        ['content-type', 'application/grpc'],
        ['te', 'trailers'],
        ['x-many', 'one'],
        ['x-many', 'two'],
        ['x-many', 'three'],
        ['key-bin', 'AAEC/w=='],
        ['key-bin', 'AAEC'],
        ['key-bin', 'a,b'],
        ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
        ['grpc-encoding', 'gzip'],
        ['grpc-accept-encoding', 'identity,deflate,gzip'],
        ['grpc-timeout', '10S'],
        ['user-agent', 'a-client/1.0'],
        ['dapr-app-id', 'other'],
        ['latin', 'caf\u00e9'],
        ['empty', ''],
      ].sort(),
    );
    expect(behind.calls[0]?.headers[':authority']).toBe(`127.0.0.1:${grpc.port}`);
  });

  it('is answered with every header and trailer, and with the status and its details', async () => {
    behind.answer = ({ stream }) => {
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'h-bin': ['AA', 'AQ'], h: 'v' },
        { waitForTrailers: true, sendDate: false } as object,
      );
      stream.once('wantTrailers', () => {
        stream.sendTrailers({
          'grpc-status': '9',
          'grpc-message': 'not%20now',
          'grpc-status-details-bin': 'CAkSB25vdCBub3c',
          t: ['1', '2'],
        });
      });
      stream.end(frame('partial'));
    };
    await start();
    const stream = open();
    stream.end();
    const raw: string[][] = [];
    stream.on('response', (_headers, _flags, rawHeaders?: string[]) => raw.push(rawHeaders ?? []));
    stream.on('trailers', (_headers: object, _flags: number, rawHeaders?: string[]) =>
      raw.push(rawHeaders ?? []),
    );
    stream.resume();
    await once(stream, 'close');
    expect(raw).toEqual([
      [
        ':status',
        '200',
        'content-type',
        'application/grpc',
        'h-bin',
        'AA',
        'h-bin',
        'AQ',
        'h',
        'v',
      ],
      [
        'grpc-status',
        '9',
        'grpc-message',
        'not%20now',
        'grpc-status-details-bin',
        'CAkSB25vdCBub3c',
        't',
        '1',
        't',
        '2',
      ],
    ]);
  });

  it('is answered by headers alone where the upstream does so', async () => {
    behind.answer = ({ stream }) => {
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5' },
        { endStream: true },
      );
    };
    await start();
    const answer = await rawCall(grpc.port, { ':path': STATE });
    expect(answer.headers['grpc-status']).toBe('5');
    expect(answer.trailers).toEqual({});
  });

  it('sends and receives at the same time, message by message', async () => {
    await start();
    const stream = open();
    for (const text of ['a', 'b', 'c']) {
      stream.write(frame(text));
      const [part] = (await once(stream, 'data')) as [Buffer];
      expect(part).toEqual(frame(text));
    }
    stream.end();
    const [trailers] = (await once(stream, 'trailers')) as [object];
    expect(trailers).toMatchObject({ 'grpc-status': '0' });
  });

  it('is answered before the request has ended, and the client is told to stop', async () => {
    behind.answer = ({ stream }) => {
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '3' },
        { endStream: true },
      );
    };
    await start();
    const stream = open();
    stream.write(frame('first'));
    const [headers] = (await once(stream, 'response')) as [object];
    expect(headers).toMatchObject({ 'grpc-status': '3' });
    stream.resume();
    await once(stream, 'close');
    expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
    await eventually(() => {
      expect(upstream.calls.inFlight).toBe(0);
    });
  });

  it.each([constants.NGHTTP2_CANCEL, constants.NGHTTP2_REFUSED_STREAM])(
    'is cancelled upstream with the code of the client: %d',
    async (code) => {
      behind.answer = () => undefined;
      await start();
      const stream = open();
      stream.write(frame('x'));
      const { stream: received } = await eventually(() => {
        expect(behind.calls).toHaveLength(1);
        return behind.calls[0]!;
      });
      stream.close(code);
      await eventually(() => {
        expect(received.rstCode).toBe(code);
      });
      expect(upstream.calls.inFlight).toBe(0);
    },
  );

  it('is reset with the code of the upstream', async () => {
    behind.answer = ({ stream }) => {
      stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    };
    await start();
    const stream = open();
    stream.end(frame('x'));
    await eventually(() => {
      expect(stream.rstCode).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    });
  });

  it('ends with UNAVAILABLE where the upstream is lost before its answer, and within it', async () => {
    behind.answer = ({ stream, headers }) => {
      if (headers['x-begin'] === 'yes') {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
        stream.write(frame('half'));
      }
      setTimeout(() => stream.session?.destroy(), 50);
    };
    await start();
    const silent = await rawCall(grpc.port, { ':path': STATE });
    expect(silent.headers['grpc-status']).toBe('14');
    expect(decodeURI(String(silent.headers['grpc-message']))).toMatch(
      /^the connection to the upstream sidecar at http:\/\/127.0.0.1:\d+ was lost during the call: /,
    );
    const begun = await rawCall(grpc.port, { ':path': STATE, 'x-begin': 'yes' });
    expect(begun.headers['grpc-status']).toBeUndefined();
    expect(begun.trailers['grpc-status']).toBe('14');
  });

  it('waits for a client that does not read, and takes no more than a window', async () => {
    let written = 0;
    behind.answer = ({ stream }) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
      const more = () => {
        while (written < 32 * 2 ** 20) {
          written += 65_536;
          if (!stream.write(Buffer.alloc(65_536))) return;
        }
      };
      stream.on('drain', more);
      more();
    };
    await start();
    const stream = open();
    stream.end();
    await once(stream, 'response');
    // Another call on the same connections goes on.
    const callAnother = async () => {
      behind.answer = echo;
      const { body } = await rawCall(grpc.port, { ':path': STATE }, Buffer.from('x'));
      expect(body).toEqual(frame('x'));
    };
    // Nothing more is taken during another call, once the windows on the way are full.
    await eventually(async () => {
      const before = written;
      await callAnother();
      expect(written).toBeGreaterThan(65_536);
      expect(written).toBe(before);
    });
    expect(written).toBeLessThan(2 ** 20);
    stream.close(constants.NGHTTP2_CANCEL);
  });

  it('needs the token, which is passed on', async () => {
    await start({ token: 'secret' });
    const refused = await rawCall(grpc.port, { ':path': STATE });
    expect(refused.headers['grpc-status']).toBe('16');
    expect(behind.calls).toHaveLength(0);
    await rawCall(grpc.port, { ':path': STATE, 'dapr-api-token': 'secret' });
    expect(behind.calls[0]?.headers['dapr-api-token']).toBe('secret');
  });

  it('has a limit of its own, beside that of lock calls', async () => {
    behind.answer = () => undefined;
    await start({}, 2);
    const held = [open(), open()];
    await eventually(() => {
      expect(behind.calls).toHaveLength(2);
    });
    const refused = await rawCall(grpc.port, { ':path': STATE });
    expect(refused.headers['grpc-status']).toBe('8');
    expect((await grpc.call('TryLockAlpha1', {})).response).toBeDefined();
    for (const stream of held) stream.close(constants.NGHTTP2_CANCEL);
    await eventually(() => {
      expect(upstream.calls.inFlight).toBe(0);
    });
  });

  it('for metadata is answered by the upstream, with the components of this sidecar', async () => {
    const { responseSerialize, responseDeserialize } = loadDaprService().GetMetadata!;
    const theirs = { name: 's', type: 'state.redis', version: 'v1' };
    const ours = { name: 'l', type: 'lock.redis', version: 'v1' };
    // Field 1000, which is unknown here, has the value 7.
    const unknown = Buffer.from([0xc0, 0x3e, 7]);
    const answer = responseSerialize({ id: 'behind', registeredComponents: [theirs] });
    behind.answer = ({ stream }) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, TRAILERS);
      stream.once('wantTrailers', () => {
        stream.sendTrailers({ 'grpc-status': '0' });
      });
      stream.end(frame(Buffer.concat([answer, unknown])));
    };
    await start();
    grpc.sidecar.metadata.setComponent(ours);
    grpc.sidecar.metadata.setComponent(theirs);
    const { body } = await rawCall(grpc.port, { ':path': daprPath('GetMetadata') });
    expect(body.readUInt32BE(1)).toBe(body.length - 5);
    expect(body.includes(unknown)).toBe(true);
    expect(responseDeserialize(body.subarray(5))).toMatchObject({
      id: 'behind',
      registeredComponents: [theirs, ours],
    });
  });

  it.each([
    daprPath('UnlockBeta1'),
    daprPath('TryLock'),
    daprPath('tryLockAlpha1'),
    daprPath('TryLockAlpha1/'),
    `/${daprPath('TryLockAlpha1')}`,
    `/x/..${daprPath('TryLockAlpha1')}`,
    daprPath('%54ryLockAlpha1'),
    `${daprPath('TryLockAlpha1')}?x`,
    '/dapr.proto.runtime.v1.dapr/trylockalpha1',
    '/holdfast.v1.Locks/Unknown',
    '/holdfast.v2.Locks/Acquire',
    '/grpc.health.v1.Health/Unknown',
  ])('is never passed on if it could be a lock call, or one of our own: %s', async (target) => {
    await start();
    const { headers } = await rawCall(grpc.port, { ':path': target });
    expect(headers['grpc-status']).toBe('12');
    expect(behind.calls).toEqual([]);
  });
});
