import { Agent, request } from 'node:http';

import { Client, credentials } from '@grpc/grpc-js';

import { loadDaprService, loadNativeService } from '../../src/grpc/proto-files';
import type { Transport } from '../lock-requests';
import { portOf, type Target } from '../target';

/** A lock, and who wants it. */
export interface LockName {
  readonly resourceId: string;
  readonly lockOwner: string;
}

/** Calls a sidecar as a program does, on a connection of its own. Each call rejects where it fails. */
export interface LockCaller {
  /** The native API: waits for a lock in turn. Resolves once it is held. */
  acquire(lock: LockName): Promise<void>;
  /** The native API: releases a lock that is held. */
  release(lock: LockName): Promise<void>;
  /** Dapr's API: true if the lock was taken. */
  tryLock(lock: LockName): Promise<boolean>;
  /** Dapr's API: releases a lock that is held. */
  unlock(lock: LockName): Promise<void>;
  close(): void;
}

/** A message's fields, in lowerCamelCase. */
type Fields = Readonly<Record<string, unknown>>;

const TTL_SECONDS = 60;
const LEASE = { ttlMs: TTL_SECONDS * 1000 };

/** Longer than any wait of the benchmark. */
const WAIT = { waitMs: 600_000 };

/** Makes a caller. */
export function createLockCaller(target: Target, transport: Transport): LockCaller {
  return transport === 'grpc' ? new GrpcCaller(target) : new HttpCaller(target);
}

const methods = { ...loadNativeService(), ...loadDaprService() };

/** By the gRPC client that Node programs use. */
class GrpcCaller implements LockCaller {
  readonly #client: Client;
  readonly #storeName: string;

  constructor(target: Target) {
    const options = { 'grpc.use_local_subchannel_pool': 1 };
    const address = `127.0.0.1:${portOf(target, 'grpc')}`;
    this.#client = new Client(address, credentials.createInsecure(), options);
    this.#storeName = target.storeName;
  }

  async acquire(lock: LockName): Promise<void> {
    assertIs(await this.#call('Acquire', { ...lock, ...LEASE, ...WAIT }), 'acquired', true);
  }

  async release(lock: LockName): Promise<void> {
    assertIs(await this.#call('Release', lock), 'status', 1);
  }

  async tryLock(lock: LockName): Promise<boolean> {
    const answer = await this.#call('TryLockAlpha1', { ...lock, expiryInSeconds: TTL_SECONDS });
    return answer.success === true;
  }

  async unlock(lock: LockName): Promise<void> {
    assertIs(await this.#call('UnlockAlpha1', lock), 'status', 0);
  }

  close(): void {
    this.#client.close();
  }

  #call(method: string, message: object): Promise<Fields> {
    const definition = methods[method];
    if (definition === undefined) throw new Error(`no method ${method}`);
    const { path, requestSerialize: encode, responseDeserialize: decode } = definition;
    const fields = { storeName: this.#storeName, ...message };
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(path, encode, decode, fields, (error, response) => {
        if (error === null) resolve(response as Fields);
        else reject(error);
      });
    });
  }
}

/** By Node's own HTTP client. */
class HttpCaller implements LockCaller {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #port: number;
  readonly #storeName: string;

  constructor(target: Target) {
    this.#port = portOf(target, 'http');
    this.#storeName = target.storeName;
  }

  async acquire(lock: LockName): Promise<void> {
    const body = { ...lock, ...LEASE, ...WAIT };
    assertIs(await this.#post(`${this.#nativePath}/acquire`, body), 'acquired', true);
  }

  async release(lock: LockName): Promise<void> {
    assertIs(await this.#post(`${this.#nativePath}/release`, lock), 'status', 'RELEASED');
  }

  async tryLock(lock: LockName): Promise<boolean> {
    const body = { ...lock, expiryInSeconds: TTL_SECONDS };
    return (await this.#post(`/v1.0-alpha1/lock/${this.#storeName}`, body)).success === true;
  }

  async unlock(lock: LockName): Promise<void> {
    assertIs(await this.#post(`/v1.0-alpha1/unlock/${this.#storeName}`, lock), 'status', 0);
  }

  close(): void {
    this.#agent.destroy();
  }

  get #nativePath(): string {
    return `/holdfast/v1/locks/${this.#storeName}`;
  }

  #post(path: string, body: object): Promise<Fields> {
    return new Promise((resolve, reject) => {
      const call = request({
        ...{ host: '127.0.0.1', port: this.#port, agent: this.#agent, method: 'POST', path },
        headers: { 'content-type': 'application/json' },
      });
      call.once('error', reject);
      call.once('response', (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.once('error', reject);
        response.once('end', () => {
          resolve(JSON.parse(Buffer.concat(parts).toString()) as Fields);
        });
      });
      call.end(JSON.stringify(body));
    });
  }
}

function assertIs(answer: Fields, field: string, expected: unknown): void {
  if (answer[field] === expected) return;
  throw new Error(`${field} is ${String(answer[field])} instead of ${String(expected)}`);
}
