import { once } from 'node:events';
import { constants } from 'node:http2';

import { loadDaprService } from '../../src/grpc/proto-files';
import { eventually } from '../support/eventually';
import { echo, type ReceivedCall } from '../support/raw-upstream';
import { daprPath } from './grpc-fixture';
import { PassingFixture, STATE } from './passing-fixture';
import { frame, rawCall } from './raw-http2';

const TRAILERS = { waitForTrailers: true };

describe('a gRPC call that is not served here, in front of another sidecar', () => {
  const passing = new PassingFixture();
  beforeEach(() => passing.startBehind());
  afterEach(() => passing.stop());

  it('arrives with every header in its order, and with every byte', async () => {
    await passing.start();
    const stream = passing.open({
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
    const [{ rawHeaders }] = passing.behind.calls as [ReceivedCall];
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
    expect(passing.behind.calls[0]?.headers[':authority']).toBe(`127.0.0.1:${passing.grpc.port}`);
  });

  it('is answered with every header and trailer, and with the status and its details', async () => {
    passing.behind.answer = ({ stream }) => {
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
    await passing.start();
    const stream = passing.open();
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
    passing.behind.answer = ({ stream }) => {
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5' },
        { endStream: true },
      );
    };
    await passing.start();
    const answer = await rawCall(passing.grpc.port, { ':path': STATE });
    expect(answer.headers['grpc-status']).toBe('5');
    expect(answer.trailers).toEqual({});
  });

  it('sends and receives at the same time, message by message', async () => {
    await passing.start();
    const stream = passing.open();
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
    passing.behind.answer = ({ stream }) => {
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '3' },
        { endStream: true },
      );
    };
    await passing.start();
    const stream = passing.open();
    stream.write(frame('first'));
    const [headers] = (await once(stream, 'response')) as [object];
    expect(headers).toMatchObject({ 'grpc-status': '3' });
    stream.resume();
    await once(stream, 'close');
    expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
    await eventually(() => {
      expect(passing.upstream.calls.inFlight).toBe(0);
    });
  });

  it.each([constants.NGHTTP2_CANCEL, constants.NGHTTP2_REFUSED_STREAM])(
    'is cancelled upstream with the code of the client: %d',
    async (code) => {
      passing.behind.answer = () => undefined;
      await passing.start();
      const stream = passing.open();
      stream.write(frame('x'));
      const { stream: received } = await eventually(() => {
        expect(passing.behind.calls).toHaveLength(1);
        return passing.behind.calls[0]!;
      });
      stream.close(code);
      await eventually(() => {
        expect(received.rstCode).toBe(code);
      });
      expect(passing.upstream.calls.inFlight).toBe(0);
    },
  );

  it('is reset with the code of the upstream', async () => {
    passing.behind.answer = ({ stream }) => {
      stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    };
    await passing.start();
    const stream = passing.open();
    stream.end(frame('x'));
    await eventually(() => {
      expect(stream.rstCode).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    });
  });

  it('ends with UNAVAILABLE where the upstream is lost before its answer, and within it', async () => {
    passing.behind.answer = ({ stream, headers }) => {
      if (headers['x-begin'] === 'yes') {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
        stream.write(frame('half'));
      }
      setTimeout(() => stream.session?.destroy(), 50);
    };
    await passing.start();
    const silent = await rawCall(passing.grpc.port, { ':path': STATE });
    expect(silent.headers['grpc-status']).toBe('14');
    expect(decodeURI(String(silent.headers['grpc-message']))).toMatch(
      /^the connection to the upstream sidecar at http:\/\/127.0.0.1:\d+ was lost during the call: /,
    );
    const begun = await rawCall(passing.grpc.port, { ':path': STATE, 'x-begin': 'yes' });
    expect(begun.headers['grpc-status']).toBeUndefined();
    expect(begun.trailers['grpc-status']).toBe('14');
  });

  it('waits for a client that does not read, and takes no more than a window', async () => {
    let written = 0;
    passing.behind.answer = ({ stream }) => {
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
    await passing.start();
    const stream = passing.open();
    stream.end();
    await once(stream, 'response');
    // Another call on the same connections goes on.
    const callAnother = async () => {
      passing.behind.answer = echo;
      const { body } = await rawCall(passing.grpc.port, { ':path': STATE }, Buffer.from('x'));
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
    await passing.start({ token: 'secret' });
    const refused = await rawCall(passing.grpc.port, { ':path': STATE });
    expect(refused.headers['grpc-status']).toBe('16');
    expect(passing.behind.calls).toHaveLength(0);
    await rawCall(passing.grpc.port, { ':path': STATE, 'dapr-api-token': 'secret' });
    expect(passing.behind.calls[0]?.headers['dapr-api-token']).toBe('secret');
  });

  it('has a limit of its own, beside that of lock calls', async () => {
    passing.behind.answer = () => undefined;
    await passing.start({}, 2);
    const held = [passing.open(), passing.open()];
    await eventually(() => {
      expect(passing.behind.calls).toHaveLength(2);
    });
    const refused = await rawCall(passing.grpc.port, { ':path': STATE });
    expect(refused.headers['grpc-status']).toBe('8');
    expect((await passing.grpc.call('TryLockAlpha1', {})).response).toBeDefined();
    for (const stream of held) stream.close(constants.NGHTTP2_CANCEL);
    await eventually(() => {
      expect(passing.upstream.calls.inFlight).toBe(0);
    });
  });

  it('for metadata is answered by the upstream, with the components of this sidecar', async () => {
    const { responseSerialize, responseDeserialize } = loadDaprService().GetMetadata!;
    const theirs = { name: 's', type: 'state.redis', version: 'v1' };
    const ours = { name: 'l', type: 'lock.redis', version: 'v1' };
    // Field 1000, which is unknown here, has the value 7.
    const unknown = Buffer.from([0xc0, 0x3e, 7]);
    const answer = responseSerialize({ id: 'behind', registeredComponents: [theirs] });
    passing.behind.answer = ({ stream }) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, TRAILERS);
      stream.once('wantTrailers', () => {
        stream.sendTrailers({ 'grpc-status': '0' });
      });
      stream.end(frame(Buffer.concat([answer, unknown])));
    };
    await passing.start();
    passing.grpc.sidecar.metadata.setComponent(ours);
    passing.grpc.sidecar.metadata.setComponent(theirs);
    const { body } = await rawCall(passing.grpc.port, { ':path': daprPath('GetMetadata') });
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
    await passing.start();
    const { headers } = await rawCall(passing.grpc.port, { ':path': target });
    expect(headers['grpc-status']).toBe('12');
    expect(passing.behind.calls).toEqual([]);
  });
});
