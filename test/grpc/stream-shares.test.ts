import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';

import { loadNativeService } from '../../src/grpc/proto-files';
import type { Caller } from '../../src/lock/lock-service';
import { eventually } from '../support/eventually';
import { createFakeNativeLocks } from '../support/fake-lock-service';
import { daprPath, GrpcFixture } from './grpc-fixture';
import { frame } from './raw-http2';

const HOLD = loadNativeService().Hold!;

/** A whole gRPC message. */
const HOLD_MESSAGE = frame(
  HOLD.requestSerialize({ storeName: 's', resourceId: 'r', ttlMs: 1000, waitMs: 0 }),
);

describe('the streams that a gRPC connection may open', () => {
  const sessions: ClientHttp2Session[] = [];
  let grpc: GrpcFixture;
  let holds = 0;

  const start = async (maxConcurrentCalls?: number) => {
    // A lock call lasts until its caller goes.
    const tryLock = (_request: unknown, { signal }: Caller) =>
      new Promise<never>((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(new Error('gone'));
        });
      });
    holds = 0;
    const hold = () => {
      holds += 1;
    };
    const nativeLocks = createFakeNativeLocks({ hold });
    grpc = await new GrpcFixture({ maxConcurrentCalls, locks: { tryLock }, nativeLocks }).start();
  };
  const callOn = (session: ClientHttp2Session, path: string, message: Buffer = Buffer.alloc(5)) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', () => undefined);
    stream.end(message);
    return stream;
  };
  const makeBusy = (busy: readonly ClientHttp2Session[], calls = 8) =>
    busy.flatMap((session) =>
      Array.from({ length: calls }, () => callOn(session, daprPath('TryLockAlpha1'))),
    );
  const open = async (count: number) => {
    const opened = Array.from({ length: count }, () => connect(`http://127.0.0.1:${grpc.port}`));
    sessions.push(...opened);
    await Promise.all(opened.map((session) => once(session, 'remoteSettings')));
  };
  const expectEach = (streams: number) =>
    eventually(() => {
      const told = sessions.map(({ remoteSettings }) => remoteSettings.maxConcurrentStreams);
      expect(new Set(told)).toEqual(new Set([streams]));
    });

  afterEach(async () => {
    for (const session of sessions.splice(0)) session.destroy();
    await grpc.stop();
  });

  it('are all for one that is alone', async () => {
    await start(1000);
    await open(1);
    await expectEach(2000);
  });

  it('are shared by several that use them, and by those that do not', async () => {
    await start(1000);
    await open(5);
    makeBusy(sessions.slice(1));
    await expectEach(500);
  });

  it.each([
    ['are idle', 0],
    ['make a few calls', 7],
  ])('are not shared with those that %s', async (_what, calls) => {
    await start(1000);
    await open(40);
    makeBusy(sessions.slice(1), calls);
    makeBusy(sessions.slice(0, 1));
    await expectEach(2000);
  });

  it('are not shared with those that watch health', async () => {
    await start(1000);
    await open(20);
    for (const session of sessions) callOn(session, '/grpc.health.v1.Health/Watch');
    await expectEach(2000);
  });

  it('are more again when others have gone', async () => {
    await start(1000);
    await open(4);
    makeBusy(sessions);
    await expectEach(500);
    for (const session of sessions.splice(1)) session.destroy();
    await expectEach(2000);
  });

  it('are more again when others use them no more', async () => {
    await start(1000);
    await open(4);
    makeBusy(sessions.slice(0, 1));
    const calls = makeBusy(sessions.slice(1));
    await expectEach(500);
    for (const call of calls) call.destroy();
    await expectEach(2000);
  });

  it('are never so few that a health watch would take the last', async () => {
    await start(1);
    await open(5);
    makeBusy(sessions);
    await expectEach(8);
  });

  it('are enough for thousands of holds that several begin at one moment', async () => {
    await start(1000);
    await open(8);
    const codes = new Set<number | undefined>();
    for (const session of sessions) {
      for (let index = 0; index < 500; index += 1) {
        const hold = callOn(session, HOLD.path, HOLD_MESSAGE);
        hold.on('close', () => codes.add(hold.rstCode));
      }
    }
    await eventually(() => {
      expect([holds, [...codes]]).toEqual([4000, []]);
    });
  });

  it('are not limited where calls are not', async () => {
    await start(undefined);
    await open(2);
    await expectEach(2 ** 32 - 1);
  });
});
