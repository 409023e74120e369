import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';

import { loadDaprService } from '../../src/grpc/proto-files';
import type { Caller } from '../../src/lock/lock-service';
import { body, callHeaders, message, openHttp2, reset } from '../hostile/http2-frames';
import { eventually } from '../support/eventually';
import { daprPath, GrpcFixture } from './grpc-fixture';

/** A whole TryLock call on a stream: its headers, and its body. */
function tryLockCall(stream: number, headers: Readonly<Record<string, string>> = {}): Buffer[] {
  const request = loadDaprService().TryLockAlpha1!.requestSerialize({
    storeName: 's',
    resourceId: 'r',
    lockOwner: 'o',
    expiryInSeconds: 60,
  });
  return [
    callHeaders(stream, daprPath('TryLockAlpha1'), headers),
    body(stream, message(request), true),
  ];
}

describe('a gRPC call whose caller left while it waited to be read', () => {
  const callers: Caller[] = [];
  let grpc: GrpcFixture;
  let socket: Socket;

  beforeEach(async () => {
    callers.length = 0;
    // As a store does, it answers in a later turn of the event loop.
    const tryLock = async (_request: unknown, caller: Caller) => {
      callers.push(caller);
      await nextTurn();
      return { success: true };
    };
    grpc = await new GrpcFixture({ locks: { tryLock } }).start();
    socket = await openHttp2(grpc.port);
    await once(socket, 'data');
  });
  afterEach(async () => {
    socket.destroy();
    await grpc.stop();
  });

  /** A call after the others: once it has come to the lock service, they have been read. */
  const finish = async (before: number) => {
    socket.write(Buffer.concat(tryLockCall(2 * before + 1)));
    await eventually(async () => {
      await Promise.resolve();
      expect(callers.at(-1)?.signal.aborted).toBe(false);
    });
  };
  /** Those that would take a lock though nobody waits for it. */
  const stillWanted = () => callers.filter(({ signal }) => !signal.aborted);

  it('takes no lock where it was cancelled', async () => {
    const calls = Array.from({ length: 20 }, (_, index) => 2 * index + 1).flatMap((stream) => [
      ...tryLockCall(stream),
      reset(stream),
    ]);
    socket.write(Buffer.concat(calls));
    await finish(20);
    expect(stillWanted()).toHaveLength(1);
  });

  it('takes no lock where its deadline passed before its message came', async () => {
    const [headers, rest] = tryLockCall(1, { 'grpc-timeout': '20m' });
    socket.write(headers!);
    await pause(60);
    socket.write(rest!);
    await finish(1);
    expect(stillWanted()).toHaveLength(1);
  });
});
