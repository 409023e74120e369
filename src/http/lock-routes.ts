import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { Cancellation } from '../base/cancellation';
import type { Caller, LockService } from '../lock/lock-service';
import { sendJson } from './json-reply';
import { decodeLockRequest, TRY_LOCK_FIELDS, UNLOCK_FIELDS } from './request-body';

interface LockRoute {
  readonly Params: { readonly store: string };
  /** Undefined where the request has no body. */
  readonly Body: Buffer | undefined;
}

const TRY_LOCK = { config: { operation: 'TryLock', group: 'lock' } } as const;
const UNLOCK = { config: { operation: 'Unlock', group: 'unlock' } } as const;

/** Adds the two lock routes of daprd (dapr/dapr pkg/api/http/lock.go). */
export function addLockRoutes(instance: FastifyInstance, locks: LockService): void {
  instance.post<LockRoute>('/v1.0-alpha1/lock/:store', TRY_LOCK, async (request, reply) => {
    const body = decodeLockRequest(bodyOf(request), TRY_LOCK_FIELDS);
    const { resourceId, lockOwner, expiryInSeconds } = body;
    const call = { storeName: request.params.store, resourceId, lockOwner, expiryInSeconds };
    const { success } = await locks.tryLock(call, callerOf(request, reply));
    return sendJson(reply, 200, `{"success":${String(success)}}`);
  });

  instance.post<LockRoute>('/v1.0-alpha1/unlock/:store', UNLOCK, async (request, reply) => {
    const { resourceId, lockOwner } = decodeLockRequest(bodyOf(request), UNLOCK_FIELDS);
    const call = { resourceId, lockOwner, storeName: request.params.store };
    const { status } = await locks.unlock(call, callerOf(request, reply));
    return sendJson(reply, 200, `{"status":${status}}`);
  });
}

function bodyOf({ body }: FastifyRequest<LockRoute>): Buffer {
  return body ?? Buffer.alloc(0);
}

/** The signal aborts when the caller hangs up before its answer was handed to the kernel. */
function callerOf({ observed, raw }: FastifyRequest<LockRoute>, reply: FastifyReply): Caller {
  const signal = new Cancellation();
  reply.raw.once('close', () => {
    if (!isSent(reply.raw, raw.socket)) signal.abort();
  });
  return { signal, observer: observed?.lockObserver };
}

/**
 * True for a closed response that was handed to the kernel whole: it has let go of a socket that lives on.
 * Node calls one finished, too, that was thrown away with its socket; a socket that was to close
 * after its last answer is not gone yet when that answer is.
 */
function isSent(response: ServerResponse, socket: Socket): boolean {
  return response.socket === null && !socket.destroyed;
}
