import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';

import { loadDaprService, loadNativeService } from '../../src/grpc/proto-files';
import type { CallKind } from './history';
import {
  type CallAnswer,
  type HoldListener,
  type HoldRequest,
  type LockRequest,
  type Message,
  type OpenHold,
  toAnswer,
  toHoldEvent,
  toMessage,
} from './lock-request';

const TOKEN_TRAILER = 'holdfast-fencing-token';

const dapr = loadDaprService();
const native = loadNativeService();

const METHODS = {
  tryLock: dapr.TryLockAlpha1!,
  unlock: dapr.UnlockAlpha1!,
  acquire: native.Acquire!,
  renew: native.Renew!,
  release: native.Release!,
  forceRelease: native.ForceRelease!,
  get: native.Get!,
  list: native.List!,
} as const satisfies Record<CallKind, object>;

/** Names of the numbers of enums (proto/holdfast/v1/locks.proto). */
const STATUS_NAMES: Partial<Record<CallKind, readonly string[]>> = {
  renew: ['UNSPECIFIED', 'RENEWED', 'NOT_FOUND', 'HELD_BY_OTHER'],
  release: ['UNSPECIFIED', 'RELEASED', 'NOT_FOUND', 'HELD_BY_OTHER'],
  forceRelease: ['UNSPECIFIED', 'RELEASED', 'NOT_FOUND', 'HELD_BY_OTHER'],
};

const REASON_NAMES: Readonly<Record<string, readonly string[]>> = {
  atRisk: ['UNSPECIFIED', 'RENEWAL_FAILED', 'SIDECAR_STOPPING', 'STORE_REMOVED'],
  lost: ['UNSPECIFIED', 'EXPIRED', 'TAKEN_OVER', 'STORE_UNREACHABLE'],
};

/** Calls a sidecar over gRPC, on one connection. */
export class GrpcClient {
  readonly #client: Client;

  constructor(port: number) {
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  }

  /** Never rejects. */
  call(request: LockRequest): Promise<CallAnswer> {
    const { kind, deadlineMs } = request;
    const { path, requestSerialize, responseDeserialize } = METHODS[kind];
    const message = { storeName: 'lockstore', ...toMessage(request) };
    return new Promise((resolve) => {
      let answer: CallAnswer = { answer: 'unknown' };
      const call = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        message,
        { deadline: Date.now() + deadlineMs },
        (error: ServiceError | null, response?: object) => {
          if (error !== null) resolve(toFailure(error));
          else answer = toAnswer(kind, toNamed(kind, response as Message));
        },
      );
      // The token of a TryLock stands in the trailing metadata, which come with the status.
      call.on('status', ({ code, metadata }) => {
        if (code !== status.OK) return;
        const [token] = metadata.get(TOKEN_TRAILER);
        resolve(token === undefined ? answer : { ...answer, token: Number(token) });
      });
    });
  }

  /** Opens a hold. */
  hold(request: HoldRequest, listener: HoldListener): OpenHold {
    const { path, requestSerialize, responseDeserialize } = native.Hold!;
    const { owner: lockOwner, resourceId, ttlMs, waitMs } = request;
    const message = { storeName: 'lockstore', resourceId, lockOwner, ttlMs, waitMs };
    const call = this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      message,
    );
    call.on('data', (event: object) => {
      listener.told(toHoldEvent(toEvent(event as Message)));
    });
    call.on('error', () => undefined);
    call.on('status', ({ code, details }) => {
      if (code === status.OK) listener.ended();
      else listener.ended(toFailure({ code, details }));
    });
    return {
      leave: () => {
        call.cancel();
      },
    };
  }

  close(): void {
    this.#client.close();
  }
}

function toNamed(kind: CallKind, message: Message): Message {
  const names = STATUS_NAMES[kind];
  return names === undefined ? message : { ...message, status: names[Number(message.status)] };
}

function toEvent(message: Message): Parameters<typeof toHoldEvent>[0] {
  const [type = '', fields] =
    Object.entries(message).find(([name, value]) => name !== 'event' && value !== null) ?? [];
  const { reason, ...rest } = fields as Message;
  const named = reason === undefined ? {} : { reason: REASON_NAMES[type]?.[Number(reason)] };
  return { type, ...rest, ...named } as Parameters<typeof toHoldEvent>[0];
}

/** Only what a sidecar says itself says that nothing was done. */
function toFailure({ code, details: reason }: Pick<ServiceError, 'code' | 'details'>) {
  const isSaid = /^failed to |^the sidecar is stopping/.test(reason);
  const isUnknown = code === status.UNKNOWN || reason.includes('outcome is unknown') || !isSaid;
  return { answer: isUnknown ? 'unknown' : 'not-applied', reason } as const;
}
