import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';

import { loadDaprService } from '../../src/grpc/proto-files';
import { toFrame } from '../../src/base/grpc-frames';

/** Read once: to read the proto files takes longer than a call. */
const service = loadDaprService();

/** The service of all calls. */
const DAPR = '/dapr.proto.runtime.v1.Dapr/';

/** The key of GetStateRequest is its second field; the keys here are shorter than 128 bytes. */
function toGetState(key: string): Buffer {
  const bytes = Buffer.from(key);
  return Buffer.concat([Buffer.from([0x0a, 1, 0x73, 0x12, bytes.length]), bytes]);
}

/** Calls over one HTTP/2 connection, with as little of its own cost as Node has. */
export class Caller {
  readonly #session: ClientHttp2Session;

  private constructor(session: ClientHttp2Session) {
    this.#session = session;
  }

  /** Connects to a gRPC port of the loopback interface. */
  static async open(port: number): Promise<Caller> {
    const session = connect(`http://127.0.0.1:${port}`);
    session.on('error', () => undefined);
    await once(session, 'remoteSettings');
    return new Caller(session);
  }

  /** Gets the state of a key. Resolves with the gRPC status. */
  getState(key: string): Promise<string> {
    return end(this.begin('GetState', toGetState(key)));
  }

  /** Takes and releases a lock of its own. Resolves with the milliseconds of the first. */
  async lock(resourceId: string): Promise<number> {
    const lock = { storeName: 'lockstore', resourceId, lockOwner: 'o', expiryInSeconds: 60 };
    const startedAt = performance.now();
    const status = await end(this.begin('TryLockAlpha1', encode('TryLockAlpha1', lock)));
    const tookMs = performance.now() - startedAt;
    await end(this.begin('UnlockAlpha1', encode('UnlockAlpha1', lock)));
    if (status !== '0') throw new Error(`TryLockAlpha1 ended with status ${status}`);
    return tookMs;
  }

  /** Begins to get the state of a key, and never reads the answer. */
  neglect(key: string): void {
    this.begin('GetState', toGetState(key)).pause();
  }

  /** Begins a call with one message. */
  begin(method: string, message: Buffer): ClientHttp2Stream {
    const stream = this.#session.request({
      ':method': 'POST',
      ':path': `${DAPR}${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', () => undefined);
    stream.end(toFrame(message));
    return stream;
  }

  /** Cuts the connection, with all calls on it. */
  close(): void {
    this.#session.destroy();
  }
}

function encode(method: 'TryLockAlpha1' | 'UnlockAlpha1', fields: object): Buffer {
  const definition = service[method];
  if (definition === undefined) throw new Error(`the proto files declare no ${method}`);
  return definition.requestSerialize(fields);
}

function end(stream: ClientHttp2Stream): Promise<string> {
  return new Promise((resolve) => {
    let status = 'none';
    const note = (headers: Record<string, unknown>): void => {
      const given = headers['grpc-status'];
      if (typeof given === 'string') status = given;
    };
    stream.on('response', note);
    stream.on('trailers', note);
    stream.on('close', () => {
      resolve(status);
    });
    stream.resume();
  });
}
