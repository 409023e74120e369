import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import type { LockService } from '../lock/lock-service';
import { sendJson } from './json-reply';
import { decodeLockRequest, TRY_LOCK_FIELDS, UNLOCK_FIELDS } from './request-body';

interface LockRoute {
  readonly Params: { readonly store: string };
  /** Undefined where the request has no body. */
  readonly Body: Buffer | undefined;
}

/** Adds the two lock routes of daprd (dapr/dapr pkg/api/http/lock.go). */
export function addLockRoutes(instance: FastifyInstance, locks: LockService): void {
  instance.post<LockRoute>('/v1.0-alpha1/lock/:store', async (request, reply) => {
    const body = decodeLockRequest(bodyOf(request), TRY_LOCK_FIELDS);
    const call = { ...body, storeName: request.params.store };
    const { success } = await locks.tryLock(call, callerSignal(reply));
    return sendJson(reply, 200, `{"success":${String(success)}}`);
  });

  instance.post<LockRoute>('/v1.0-alpha1/unlock/:store', async (request, reply) => {
    const { resourceId, lockOwner } = decodeLockRequest(bodyOf(request), UNLOCK_FIELDS);
    const call = { resourceId, lockOwner, storeName: request.params.store };
    const { status } = await locks.unlock(call, callerSignal(reply));
    return sendJson(reply, 200, `{"status":${status}}`);
  });
}

function bodyOf({ body }: FastifyRequest<LockRoute>): Buffer {
  return body ?? Buffer.alloc(0);
}

/** Aborts when the caller hangs up before it has its answer. */
function callerSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  return gone.signal;
}
