import { lockErrors } from '../../src/lock/lock-errors';
import { eventually } from '../support/eventually';
import {
  GrpcStreams,
  HttpStreams,
  type StreamFixture,
  type StreamFixtureOptions,
} from './stream-fixture';

const EVENT = (key: string) => ({ key, value: 'v' });

/** More than HTTP/2's window, node:http's buffer and the kernel's take for a client that does not read. */
const LONG = { key: 'long', value: 'x'.repeat(64 * 1024) };

describe.each([
  {
    transport: 'gRPC',
    create: (options?: StreamFixtureOptions): StreamFixture => new GrpcStreams(options),
    refusal: /^INTERNAL failed to try acquiring lock: away$/,
    defect: /^INTERNAL internal error$/,
    full: /^RESOURCE_EXHAUSTED the limit of 2 open streams/,
    denied: /^UNIMPLEMENTED Not Implemented$/,
  },
  {
    transport: 'HTTP',
    create: (options?: StreamFixtureOptions): StreamFixture => new HttpStreams(options),
    refusal: /^500 .*"ERR_TRY_LOCK".*failed to try acquiring lock: away/,
    defect: /^500 .*"internal error"/,
    full: /^503 .*"ERR_TOO_MANY_STREAMS".*the limit of 2 open streams/,
    denied: /^404 .*ERR_DIRECT_INVOKE/,
  },
])('a stream of events over $transport', ({ create, refusal, defect, full, denied }) => {
  let fixture: StreamFixture;
  const start = async (options?: StreamFixtureOptions) => {
    fixture = create(options);
    await fixture.start();
  };
  afterEach(() => fixture.stop());

  /** Opens a stream and waits for its handler. */
  const open = async () => {
    const before = fixture.handlers.length;
    const client = fixture.open();
    await eventually(() => {
      expect(fixture.handlers).toHaveLength(before + 1);
    });
    return { client, handler: fixture.handlers.at(-1)! };
  };

  it('brings events as they are sent, and its end', async () => {
    await start();
    const { client, handler } = await open();
    expect(handler.stream.send(EVENT('a'))).toBe(true);
    await eventually(() => {
      expect(client.keys).toEqual(['a']);
    });
    handler.stream.send(EVENT('b'));
    handler.stream.end();
    await eventually(() => {
      expect([client.keys, client.ended]).toEqual([['a', 'b'], 'ok']);
    });
    expect(handler.resourceId).toBe('r');
    expect(handler.told).toEqual([]);
  });

  it('may end without an event', async () => {
    await start();
    const { client, handler } = await open();
    handler.stream.end();
    await eventually(() => {
      expect([client.keys, client.ended]).toEqual([[], 'ok']);
    });
  });

  it('sends nothing after its end', async () => {
    await start();
    const { client, handler } = await open();
    handler.stream.end();
    expect(handler.stream.isOpen).toBe(false);
    expect(handler.stream.send(EVENT('late'))).toBe(false);
    handler.stream.end();
    handler.stream.fail(new Error('late'));
    await eventually(() => {
      expect(client.ended).toBe('ok');
    });
    expect(client.keys).toEqual([]);
  });

  it('is answered as a unary call where it fails before its first event', async () => {
    await start();
    const { client, handler } = await open();
    handler.stream.fail(lockErrors.tryLockFailed('away', undefined));
    await eventually(() => {
      expect(client.ended).toMatch(refusal);
    });
    expect(handler.told).toEqual([]);
  });

  it('is answered alike where its handler throws', async () => {
    await start({
      begin: () => {
        throw lockErrors.tryLockFailed('away', undefined);
      },
    });
    const client = fixture.open();
    await eventually(() => {
      expect(client.ended).toMatch(refusal);
    });
  });

  it('says nothing of a defect', async () => {
    await start({
      begin: () => {
        throw new TypeError('secret');
      },
    });
    const client = fixture.open();
    await eventually(() => {
      expect(client.ended).toMatch(defect);
    });
  });

  it('can be told from one that ended well where it fails in the middle', async () => {
    await start();
    const { client, handler } = await open();
    handler.stream.send(EVENT('a'));
    await eventually(() => {
      expect(client.keys).toEqual(['a']);
    });
    handler.stream.fail(lockErrors.tryLockFailed('away', undefined));
    await eventually(() => {
      expect(client.ended).toBeDefined();
    });
    expect(client.ended).not.toBe('ok');
  });

  it('tells its handler once that the client has left', async () => {
    await start();
    const { client, handler } = await open();
    handler.stream.send(EVENT('a'));
    await eventually(() => {
      expect(client.keys).toEqual(['a']);
    });
    client.cancel();
    await eventually(() => {
      expect(handler.told).toEqual(['left']);
    });
    expect(handler.stream.isOpen).toBe(false);
    expect(handler.stream.send(EVENT('b'))).toBe(false);
    handler.stream.end();
  });

  it('tells its handler that the client has left before the first event', async () => {
    await start();
    const { client, handler } = await open();
    client.cancel();
    await eventually(() => {
      expect(handler.told).toEqual(['left']);
    });
  });

  it('says when the client does not keep up, and when it has', async () => {
    await start();
    const { client, handler } = await open();
    handler.stream.send(EVENT('a'));
    await eventually(() => {
      expect(client.keys).toEqual(['a']);
    });
    client.pause();
    let sent = 1;
    while (handler.stream.send(LONG)) sent += 1;
    sent += 1;
    client.resume();
    await eventually(() => {
      expect([client.keys.length, handler.told]).toEqual([sent, ['drained']]);
    });
  });

  it('has a last word when the sidecar stops, which does not wait for it', async () => {
    await start();
    const { client, handler } = await open();
    handler.stream.send(EVENT('a'));
    await eventually(() => {
      expect(client.keys).toEqual(['a']);
    });
    const stopped = fixture.stopServer();
    await eventually(() => {
      expect([client.keys, client.ended]).toEqual([['a', 'last'], 'ok']);
    });
    expect(handler.told).toEqual(['stopping']);
    await stopped;
  });

  it('is refused where so many are open that there is no room, until one has ended', async () => {
    await start({ streamBounds: { total: 2, perConnection: 10 } });
    const [first] = [await open(), await open()];
    const client = fixture.open();
    await eventually(() => {
      expect(client.ended).toMatch(full);
    });
    expect(fixture.handlers).toHaveLength(2);
    first.handler.stream.end();
    await eventually(() => {
      expect(first.client.ended).toBe('ok');
    });
    await open();
  });

  it('is refused where the configuration denies its group', async () => {
    await start({ isAllowed: (group) => group !== 'lock' });
    const client = fixture.open();
    await eventually(() => {
      expect(client.ended).toMatch(denied);
    });
    expect(fixture.handlers).toEqual([]);
  });

  it('is observed from its beginning to its end, once', async () => {
    const seen: string[] = [];
    await start({
      observer: {
        begin: ({ method }) => {
          seen.push(`${method?.operation ?? ''} begins`);
          return {
            responseHeaders: {},
            responseTraceBin: undefined,
            responseBaggage: undefined,
            refusal: undefined,
            lockObserver: undefined,
            end: () => seen.push('ends'),
          };
        },
      },
    });
    for (const leave of [false, true]) {
      const { client, handler } = await open();
      if (leave) client.cancel();
      else handler.stream.end();
      await eventually(() => {
        expect(seen).toEqual(['Watch begins', 'ends']);
      });
      seen.length = 0;
    }
  });
});
