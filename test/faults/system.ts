import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { createClient } from 'redis';

import { loadDaprService } from '../../src/grpc/proto-files';
import { createLockService } from '../../src/lock/lock-service';
import type { LockStore } from '../../src/lock/lock-store';
import { StoreCatalog } from '../../src/lock/store-catalog';
import { writeComponent } from '../support/component-files';
import { DAPRD_RELEASE } from '../support/daprd-commands';
import { SidecarProcess } from '../support/sidecar-process';
import { TcpProxy } from '../support/tcp-proxy';
import type { Answer, Operation } from './history';

/** What a client asks of a sidecar. */
export interface LockRequest {
  readonly kind: 'tryLock' | 'unlock';
  readonly resourceId: string;
  readonly owner: string;
  readonly expiryInSeconds: number;
  /** The client's own deadline; it hangs up then. */
  readonly deadlineMs: number;
}

/** One sidecar with its own way to Redis. */
export interface SidecarUnderTest {
  readonly by: Operation['by'];
  readonly proxy: TcpProxy;
  /** Never rejects. */
  call(request: LockRequest): Promise<Pick<Operation, 'answer' | 'reason' | 'version'>>;
  stop(): Promise<void>;
}

/** How long a store that is stopped may go on with its withdrawals: as long as a sidecar's may. */
const STOP_GRACE_MS = 5000;

const UNLOCK_ANSWERS = ['unlocked', 'not_found', 'held_by_other'] as const;

/** Where Redis said no, or was never asked, Holdfast does not call the outcome unknown. */
function answerOfFailure(message: string): Answer {
  return message.includes('outcome is unknown') || message.includes('Deadline exceeded')
    ? 'unknown'
    : 'not-applied';
}

/**
 * Starts Holdfast itself, in a process of its own, called over gRPC.
 *
 * @param main the script to start, where it is another than that of this checkout
 */
export async function startProcess(
  redisPort: number,
  metadata: Readonly<Record<string, string>>,
  main?: string,
): Promise<SidecarUnderTest> {
  const proxy = await TcpProxy.start(redisPort);
  const folder = await writeComponent({
    type: 'lock.redis',
    metadata: { redisHost: `127.0.0.1:${proxy.port}`, ...metadata },
  });
  const sidecar = await SidecarProcess.start({
    args: ['--resources-path', folder],
    main,
  });
  const client = new Client(`127.0.0.1:${sidecar.grpcPort}`, credentials.createInsecure());
  const { TryLockAlpha1: tryLock, UnlockAlpha1: unlock } = loadDaprService();
  return {
    by: 'holdfast',
    proxy,
    call: ({ kind, resourceId, owner, expiryInSeconds, deadlineMs }) =>
      new Promise((resolve) => {
        const method = (kind === 'tryLock' ? tryLock : unlock)!;
        client.makeUnaryRequest(
          method.path,
          method.requestSerialize,
          method.responseDeserialize,
          { storeName: 'lockstore', resourceId, lockOwner: owner, expiryInSeconds },
          { deadline: Date.now() + deadlineMs },
          (error: ServiceError | null, response?: object) => {
            if (error !== null) {
              resolve({ answer: answerOfFailure(error.details), reason: error.details });
            } else resolve({ answer: toAnswer(kind, response as WireResponse) });
          },
        );
      }),
    async stop() {
      client.close();
      await sidecar.stop();
      await proxy.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface WireResponse {
  readonly success?: boolean;
  readonly status?: string | number;
}

const WIRE_STATUS: Readonly<Record<string, Answer>> = {
  SUCCESS: 'unlocked',
  LOCK_DOES_NOT_EXIST: 'not_found',
  LOCK_BELONGS_TO_OTHERS: 'held_by_other',
};

function toAnswer(kind: LockRequest['kind'], { success, status }: WireResponse): Answer {
  if (kind === 'tryLock') return success === true ? 'acquired' : 'refused';
  return WIRE_STATUS[String(status)] ?? UNLOCK_ANSWERS[Number(status ?? 0)]!;
}

/** Starts a lock service over any store in this process: how the zoo's stores are called. */
export async function startInProcess(
  redisPort: number,
  createStore: (port: number) => LockStore,
): Promise<SidecarUnderTest> {
  const proxy = await TcpProxy.start(redisPort);
  const store = createStore(proxy.port);
  await store.init(new AbortController().signal);
  const stores = new StoreCatalog();
  stores.add({ name: 'lockstore', store, keyPrefix: { text: 'lock||myapp||' } });
  const service = createLockService({ stores, observers: [] });
  return {
    by: 'holdfast',
    proxy,
    async call({ kind, resourceId, owner, expiryInSeconds, deadlineMs }) {
      const [gone, answered] = [new AbortController(), new AbortController()];
      // A client waits no longer than its deadline, whatever the service does.
      const timedOut = pause(
        deadlineMs,
        { answer: 'unknown' as const },
        { signal: answered.signal },
      );
      const request = { storeName: 'lockstore', resourceId, lockOwner: owner, expiryInSeconds };
      const ask = async () => {
        if (kind === 'tryLock') {
          return { answer: toAnswer(kind, await service.tryLock(request, gone)) };
        }
        return { answer: toAnswer(kind, await service.unlock(request, gone)) };
      };
      const answer = ask().catch((error: unknown) => {
        const reason = (error as Error).message;
        return { answer: answerOfFailure(reason), reason };
      });
      const result = await Promise.race([answer, timedOut]);
      answered.abort();
      if (result.answer === 'unknown') gone.abort();
      return result;
    },
    async stop() {
      await store.close(AbortSignal.timeout(STOP_GRACE_MS));
      await proxy.stop();
    },
  };
}

/** Issues daprd's own commands, on a way to Redis of its own; what it can't know it calls unknown. */
export async function startPlainClient(redisPort: number): Promise<SidecarUnderTest> {
  const proxy = await TcpProxy.start(redisPort);
  const client = createClient({
    socket: { host: '127.0.0.1', port: redisPort, reconnectStrategy: 20 },
    RESP: 2,
    disableOfflineQueue: true,
  });
  client.on('error', () => undefined);
  await client.connect();
  return {
    by: 'daprd',
    proxy,
    async call({ kind, resourceId, owner, expiryInSeconds }) {
      const key = `lock||myapp||${resourceId}`;
      try {
        if (kind === 'tryLock') {
          const expiration = { type: 'EX', value: expiryInSeconds } as const;
          const reply = await client.set(key, owner, { condition: 'NX', expiration });
          return { answer: reply === 'OK' ? 'acquired' : 'refused' };
        }
        const reply = await client.eval(DAPRD_RELEASE, { keys: [key], arguments: [owner] });
        return { answer: UNLOCK_ANSWERS[[1, -1, -2].indexOf(Number(reply))]! };
      } catch (error) {
        return { answer: 'unknown', reason: (error as Error).message };
      }
    },
    async stop() {
      client.destroy();
      await proxy.stop();
    },
  };
}

/** A name for the keys of one run, so that runs on one Redis do not meet. */
export const newRunName = (): string => randomUUID().slice(0, 8);
