import { loadDaprService } from '../src/grpc/proto-files';

/** How a call comes to the sidecar. */
export type Transport = 'grpc' | 'http';

/** The action of a call. */
export type Action = 'lock' | 'unlock';

/** The lock that a call is about. */
export interface LockRequest {
  readonly storeName: string;
  readonly resourceId: string;
}

/** Whose locks the load takes. */
const OWNER = 'random_id_abc123';

/** Longer than any run: a lock that expires under load would change what is measured. */
const EXPIRY_IN_SECONDS = 86_400;

const GRPC_METHOD = { lock: 'TryLockAlpha1', unlock: 'UnlockAlpha1' } as const;
const service = loadDaprService();

/** The path that an action is called by. */
export function pathOf(transport: Transport, action: Action, storeName: string): string {
  return transport === 'grpc'
    ? `/dapr.proto.runtime.v1.Dapr/${GRPC_METHOD[action]}`
    : `/v1.0-alpha1/${action}/${storeName}`;
}

/** The headers that a call has on either transport, beside those of its protocol. */
export const HEADERS: Readonly<Record<Transport, Readonly<Record<string, string>>>> = {
  grpc: { 'content-type': 'application/grpc', te: 'trailers' },
  http: { 'content-type': 'application/json' },
};

/** A call's body: JSON over HTTP; over gRPC one frame, uncompressed, with the message. */
export function bodyOf(transport: Transport, action: Action, request: LockRequest): Buffer {
  const { storeName, resourceId } = request;
  const unlock = { resourceId, lockOwner: OWNER };
  const body = action === 'lock' ? { ...unlock, expiryInSeconds: EXPIRY_IN_SECONDS } : unlock;
  return transport === 'grpc'
    ? toFrame(service[GRPC_METHOD[action]]?.requestSerialize({ storeName, ...body }))
    : Buffer.from(JSON.stringify(body));
}

/** A message without a field: what `success: false` and `status: 0` are on the wire. */
const EMPTY = toFrame(Buffer.alloc(0));

/** The bodies that answer a call as it should be, `refused` one for a lock that somebody holds. */
export const ANSWERS: Readonly<Record<Transport, Readonly<Record<Action | 'refused', Buffer>>>> = {
  grpc: {
    lock: toFrame(service.TryLockAlpha1?.responseSerialize({ success: true })),
    refused: EMPTY,
    unlock: EMPTY,
  },
  http: {
    lock: Buffer.from('{"success":true}'),
    refused: Buffer.from('{"success":false}'),
    unlock: Buffer.from('{"status":0}'),
  },
};

/** The prefix of a message in gRPC: one byte of flags, four of length. */
function toFrame(message: Buffer | undefined): Buffer {
  if (message === undefined) throw new Error('the Dapr service lacks a lock method');
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
