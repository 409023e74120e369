import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';

import { loadDaprService } from '../../src/grpc/proto-files';
import type { Caller } from '../../src/lock/lock-service';
import { eventually } from '../support/eventually';
import { daprPath, GrpcFixture } from './grpc-fixture';

const FRAME = { data: 0, headers: 1, reset: 3, settings: 4 } as const;
const END_STREAM = 1;
const END_HEADERS = 4;
const CANCEL = Buffer.from([0, 0, 0, 8]);

/** A frame of HTTP/2 (RFC 9113, 4.1). */
function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Header fields as literals that are never indexed (RFC 7541, 6.2.2). */
function headerBlock(fields: Readonly<Record<string, string>>): Buffer {
  const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
  return Buffer.concat(
    Object.entries(fields).flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]),
  );
}

/** A whole TryLock call on a stream, as it stands in a socket's buffer. */
function tryLockFrames(stream: number, headers: Readonly<Record<string, string>> = {}): Buffer {
  const message = loadDaprService().TryLockAlpha1!.requestSerialize({
    storeName: 's',
    resourceId: 'r',
    lockOwner: 'o',
    expiryInSeconds: 60,
  });
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  const block = headerBlock({
    ':method': 'POST',
    ':scheme': 'http',
    ':path': daprPath('TryLockAlpha1'),
    ':authority': 'localhost',
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  return Buffer.concat([
    frame(FRAME.headers, END_HEADERS, stream, block),
    frame(FRAME.data, END_STREAM, stream, Buffer.concat([prefix, message])),
  ]);
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
    socket = connect(grpc.port, '127.0.0.1');
    await once(socket, 'connect');
    const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    socket.write(Buffer.concat([preface, frame(FRAME.settings, 0, 0, Buffer.alloc(0))]));
    await once(socket, 'data');
  });
  afterEach(async () => {
    socket.destroy();
    await grpc.stop();
  });

  /** A call after the others: once it has come to the lock service, they have been read. */
  const finish = async (before: number) => {
    socket.write(tryLockFrames(2 * before + 1));
    await eventually(async () => {
      await Promise.resolve();
      expect(callers.at(-1)?.signal.aborted).toBe(false);
    });
  };
  /** Those that would take a lock though nobody waits for it. */
  const stillWanted = () => callers.filter(({ signal }) => !signal.aborted);

  it('takes no lock where it was cancelled', async () => {
    const calls = Array.from({ length: 20 }, (_, index) => 2 * index + 1).flatMap((stream) => [
      tryLockFrames(stream),
      frame(FRAME.reset, 0, stream, CANCEL),
    ]);
    socket.write(Buffer.concat(calls));
    await finish(20);
    expect(stillWanted()).toHaveLength(1);
  });

  it('takes no lock where its deadline passed before its message came', async () => {
    const whole = tryLockFrames(1, { 'grpc-timeout': '20m' });
    const headersEnd = 9 + whole.readUIntBE(0, 3);
    socket.write(whole.subarray(0, headersEnd));
    await pause(60);
    socket.write(whole.subarray(headersEnd));
    await finish(1);
    expect(stillWanted()).toHaveLength(1);
  });
});
