import { request as httpRequest } from 'node:http';
import { connect } from 'node:http2';

import {
  ANSWERS,
  HEADERS,
  bodyOf,
  pathOf,
  type Action,
  type LockRequest,
  type Transport,
} from './lock-requests';

/** Where a call goes: the loopback interface only. */
export interface Endpoint {
  readonly transport: Transport;
  readonly port: number;
}

/** How long a single call may take, in milliseconds. */
const CALL_WITHIN_MS = 5000;

/** Makes one call and gives the answer's body; over gRPC an empty one is an error's. */
export async function callOnce(
  { transport, port }: Endpoint,
  action: Action,
  request: LockRequest,
): Promise<Buffer> {
  const body = bodyOf(transport, action, request);
  const path = pathOf(transport, action, request.storeName);
  return transport === 'grpc' ? callGrpc(port, path, body) : callHttp(port, path, body);
}

/** Takes a lock that load will be refused; one that an earlier run left held does as well. */
export async function holdLock(endpoint: Endpoint, request: LockRequest): Promise<void> {
  const answer = await callOnce(endpoint, 'lock', request);
  const { lock, refused } = ANSWERS[endpoint.transport];
  if (answer.equals(lock) || answer.equals(refused)) return;
  throw new Error(`a lock was answered by ${JSON.stringify(answer.toString('latin1'))}`);
}

function callHttp(port: number, path: string, body: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, method: 'POST', agent: false };
    const call = httpRequest({ ...options, headers: HEADERS.http, timeout: CALL_WITHIN_MS });
    call.once('error', reject);
    call.once('timeout', () => call.destroy(new Error('no answer in time')));
    call.once('response', (answer) => {
      const parts: Buffer[] = [];
      answer.once('error', reject);
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.once('end', () => {
        resolve(Buffer.concat(parts));
      });
    });
    call.end(body);
  });
}

/** A bare HTTP/2 exchange: a gRPC client's back-off would blur when a server first answers. */
function callGrpc(port: number, path: string, body: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://127.0.0.1:${port}`);
    const finish = (settle: () => void) => {
      session.destroy();
      settle();
    };
    const fail = (error: Error) => {
      finish(() => {
        reject(error);
      });
    };
    session.once('error', fail);
    session.setTimeout(CALL_WITHIN_MS, () => {
      fail(new Error('no answer in time'));
    });
    const stream = session.request({ ':method': 'POST', ':path': path, ...HEADERS.grpc });
    const parts: Buffer[] = [];
    stream.once('error', fail);
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.once('end', () => {
      finish(() => {
        resolve(Buffer.concat(parts));
      });
    });
    stream.end(body);
  });
}
