import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

import { createClient } from '@redis/client';

import { loadDaprService } from '../../src/grpc/proto-files';
import { messagePrefix } from '../support/http2-frames';

const SERVICE = loadDaprService();

/** The path of a Dapr method. */
export function daprPath(method: string): string {
  return `/dapr.proto.runtime.v1.Dapr/${method}`;
}

/** A Dapr message's bytes. */
export function daprMessage(method: string, fields: object): Buffer {
  return SERVICE[method]!.requestSerialize(fields);
}

/** A TryLock request for `lockstore`. */
export function tryLockMessage(resourceId: string, expiryInSeconds = 3600): Buffer {
  const fields = { storeName: 'lockstore', resourceId, lockOwner: 'attacker', expiryInSeconds };
  return daprMessage('TryLockAlpha1', fields);
}

/** Releases locks of `lockstore` in Redis itself: those that the attacker was granted. */
export async function forgetLocks(redisPort: number, resources: readonly string[]): Promise<void> {
  if (resources.length === 0) return;
  const client = createClient({ socket: { host: '127.0.0.1', port: redisPort }, RESP: 2 });
  client.on('error', () => undefined);
  await client.connect();
  await client.del(resources.map((resource) => `lock||myapp||${resource}`));
  client.destroy();
}

/** The header that shows the token; none where there is none to show. */
export function tokenHeader(token: string | undefined): Readonly<Record<string, string>> {
  return token === undefined ? {} : { 'dapr-api-token': token };
}

/** An HTTP/2 connection of an attacker; that it is closed under the attack is a defence, no error. */
export async function openSession(port: number): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${port}`);
  await once(session, 'connect');
  session.on('error', () => undefined);
  return session;
}

/** Begins a gRPC call; what is written is left to the caller. Its answer is read and thrown away. */
export function beginCall(
  session: ClientHttp2Session,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  stream.on('error', () => undefined);
  stream.resume();
  return stream;
}

/** A message with its length before it. */
export function toGrpcFrame(message: Buffer): Buffer {
  return Buffer.concat([messagePrefix(message.length), message]);
}

/** Waits until the sidecar has answered anything, or has ended the call; says whether it came in time. */
export async function hasAnswered(stream: ClientHttp2Stream, withinMs: number): Promise<boolean> {
  if (stream.closed || stream.destroyed) return true;
  const over = new AbortController();
  const answered = new Promise<boolean>((resolve) => {
    for (const event of ['response', 'data', 'close']) {
      stream.once(event, () => {
        resolve(true);
      });
    }
  });
  const late = pause(withinMs, false, { signal: over.signal }).catch(() => false);
  const inTime = await Promise.race([answered, late]);
  over.abort();
  return inTime;
}
