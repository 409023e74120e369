import { once } from 'node:events';
import { type ClientHttp2Session, connect, constants } from 'node:http2';

import { loadNativeService } from '../../src/grpc/proto-files';
import type { NativeCaller } from '../../src/lock/native-lock-service';
import { createFakeNativeLocks } from '../support/fake-lock-service';
import { eventually } from '../support/eventually';
import { GrpcFixture } from './grpc-fixture';
import { frame } from './raw-http2';

const { Acquire: acquire, Release: release } = loadNativeService();

/** A connection may have so many calls open beside those that wait: twice the lock calls. */
const STREAMS = 8;

describe('calls that wait for a lock', () => {
  let grpc: GrpcFixture;
  let session: ClientHttp2Session;
  let waiting: ReadonlySet<object>;
  let whenNoneWaits = (): void => undefined;

  beforeEach(async () => {
    // Waits of the test before may end during this one: each test has a set of its own.
    const open = new Set<object>();
    waiting = open;
    whenNoneWaits = () => undefined;
    // A wait lasts until its caller goes.
    const wait = (_request: unknown, { signal }: NativeCaller) =>
      new Promise<never>((_resolve, reject) => {
        open.add(signal);
        signal.addEventListener('abort', () => {
          open.delete(signal);
          if (waiting.size === 0) whenNoneWaits();
          reject(new Error('gone'));
        });
      });
    const nativeLocks = createFakeNativeLocks({ acquire: wait });
    grpc = await new GrpcFixture({ maxConcurrentCalls: STREAMS / 2, nativeLocks }).start();
    session = connect(`http://127.0.0.1:${grpc.port}`);
    await once(session, 'remoteSettings');
  });
  afterEach(async () => {
    session.destroy();
    await grpc.stop();
  });

  const begin = (method: typeof acquire, message: object) => {
    const body = method!.requestSerialize(message);
    const call = session.request({
      ':method': 'POST',
      ':path': method!.path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    call.on('error', () => undefined);
    call.resume();
    call.end(frame(body));
    return call;
  };
  const wait = (waitMs: number) =>
    begin(acquire, { storeName: 's', resourceId: 'r', ttlMs: 1000, waitMs });

  it('leave room on their connection for the release that they wait for', async () => {
    for (let count = 0; count < 3 * STREAMS; count += 1) wait(60_000);
    await eventually(() => {
      expect(waiting.size).toBe(3 * STREAMS);
    });
    const call = begin(release, { storeName: 's', resourceId: 'r', lockOwner: 'o' });
    const [headers] = (await once(call, 'response')) as [Record<string, unknown>];
    expect(headers[':status']).toBe(200);
  });

  it('give their room back when they end', async () => {
    const calls = Array.from({ length: 3 * STREAMS }, () => wait(60_000));
    await eventually(() => {
      expect(waiting.size).toBe(3 * STREAMS);
    });
    expect(session.remoteSettings.maxConcurrentStreams).toBeGreaterThan(STREAMS);
    for (const call of calls) call.close();
    await eventually(() => {
      expect(waiting.size).toBe(0);
      expect(session.remoteSettings.maxConcurrentStreams).toBe(STREAMS);
    });
  });

  it('are not refused where they begin before the client knows that others gave their room back', async () => {
    const count = 20 * STREAMS;
    const calls = Array.from({ length: count }, () => wait(60_000));
    await eventually(() => {
      expect(waiting.size).toBe(count);
    });
    const codes = new Set<number | undefined>();
    const ended = new Promise<void>((resolve) => {
      whenNoneWaits = () => {
        whenNoneWaits = () => undefined;
        setImmediate(resolve);
      };
    });
    for (const call of calls) call.close(constants.NGHTTP2_CANCEL);
    // What the sidecar has told the client meanwhile, the client has not read yet.
    await ended;
    for (let index = 0; index < count; index += 1) {
      const call = wait(60_000);
      call.on('close', () => codes.add(call.rstCode));
    }
    await eventually(() => {
      expect([waiting.size, [...codes]]).toEqual([count, []]);
    });
  });

  it('are counted as other calls where they do not wait', async () => {
    for (let count = 0; count < 3 * STREAMS; count += 1) wait(0);
    await eventually(() => {
      expect(waiting.size).toBe(STREAMS);
    });
    expect(session.remoteSettings.maxConcurrentStreams).toBe(STREAMS);
  });
});
