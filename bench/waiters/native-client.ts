import { type ClientReadableStream, Client, credentials } from '@grpc/grpc-js';

import { loadNativeService } from '../../src/grpc/proto-files';

/** The lock of a call, and who wants it. */
export interface LockName {
  readonly resourceId: string;
  readonly lockOwner: string;
}

/** An event of a hold, as its message has it. */
export interface HoldEvent {
  readonly held?: object | null;
  readonly renewed?: object | null;
  readonly atRisk?: object | null;
  readonly lost?: object | null;
  readonly refused?: object | null;
}

/** A hold that is under way. */
export interface OpenHold {
  /** Resolves with the first event. */
  readonly held: Promise<HoldEvent>;
  /** Ends the call, and so releases the lock. */
  end(): void;
}

type Fields = Readonly<Record<string, unknown>>;

/** Longer than any wait of the benchmark. */
const WAIT_MS = 600_000;
const STORE_NAME = 'lockstore';
const methods = loadNativeService();

/** One gRPC connection to a sidecar that carries any number of calls of the native API. */
export class NativeClient {
  readonly #client: Client;

  constructor(port: number) {
    const options = { 'grpc.use_local_subchannel_pool': 1 };
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), options);
  }

  /** Takes a lock, in turn unless `waitMs` is 0. Rejects if it was not acquired. */
  async acquire(
    lock: LockName,
    { ttlMs, waitMs = WAIT_MS }: { readonly ttlMs: number; readonly waitMs?: number },
  ): Promise<void> {
    const { acquired } = await this.#call('Acquire', { ...lock, ttlMs, waitMs });
    if (acquired !== true) throw new Error(`${lock.lockOwner} was refused ${lock.resourceId}`);
  }

  /** Releases a lock. Rejects if it was not held by that owner. */
  async release(lock: LockName): Promise<void> {
    const { status } = await this.#call('Release', lock);
    if (status !== 1) throw new Error(`the release by ${lock.lockOwner} got ${String(status)}`);
  }

  /** Takes a lock and keeps it until the call is ended. `onEvent` gets every event. */
  hold(lock: LockName, ttlMs: number, onEvent: (event: HoldEvent) => void): OpenHold {
    const { path, requestSerialize, responseDeserialize } = methodOf('Hold');
    const message = { storeName: STORE_NAME, ...lock, ttlMs };
    const stream: ClientReadableStream<HoldEvent> = this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize as (bytes: Buffer) => HoldEvent,
      message,
    );
    const held = new Promise<HoldEvent>((resolve, reject) => {
      stream.on('error', reject);
      stream.on('data', (event: HoldEvent) => {
        resolve(event);
        onEvent(event);
      });
    });
    // Ending the call is an error to grpc-js.
    held.catch(() => undefined);
    return {
      held,
      end: () => {
        stream.cancel();
      },
    };
  }

  close(): void {
    this.#client.close();
  }

  #call(name: string, message: object): Promise<Fields> {
    const { path, requestSerialize, responseDeserialize } = methodOf(name);
    const fields = { storeName: STORE_NAME, ...message };
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        fields,
        (error, response) => {
          if (error === null) resolve(response as Fields);
          else reject(error);
        },
      );
    });
  }
}

function methodOf(name: string) {
  const method = methods[name];
  if (method === undefined) throw new Error(`no method ${name}`);
  return method;
}
