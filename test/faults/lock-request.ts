import type { Answer, CallKind, Operation, SeenLock, Transport } from './history';
import type { HoldEvent } from './holds';

/** The request of a client to a sidecar. */
export interface LockRequest {
  readonly kind: CallKind;
  /** Of a list: what the resources begin with. */
  readonly resourceId: string;
  readonly owner: string;
  /** Of a lease that is taken or renewed; Dapr's TryLock takes whole seconds. */
  readonly ttlMs: number;
  readonly waitMs?: number;
  /** The token of the grant that the call names, where it names one. */
  readonly named?: number | undefined;
  /** With a token of 0: the end that the view showed. */
  readonly expiresAtMs?: number | undefined;
  readonly pageToken?: string;
  readonly over: Transport;
  /** The client's own deadline; it hangs up then. */
  readonly deadlineMs: number;
}

/** The result of a call. */
export interface CallAnswer extends Pick<
  Operation,
  'answer' | 'reason' | 'version' | 'token' | 'seen'
> {
  /** How long a lease is valid, counted from the call. */
  readonly validMs?: number | undefined;
  /** A page of locks. */
  readonly locks?: readonly (SeenLock & { readonly resourceId: string })[];
  readonly nextPageToken?: string;
}

/** A request to hold. */
export type HoldRequest = Required<
  Pick<LockRequest, 'resourceId' | 'owner' | 'ttlMs' | 'waitMs' | 'over'>
>;

/** Receives the events of a hold. */
export interface HoldListener {
  told(event: Omit<HoldEvent, 'atMs'>): void;
  /** The call is over; with what it failed, where it did. */
  ended(failure?: Pick<Operation, 'answer' | 'reason'>): void;
}

/** A hold that is open. */
export interface OpenHold {
  /** Ends the call, as a client that is done does. */
  leave(): void;
  /** Is not heard of any more, and may still believe what it was told; undefined over a transport. */
  fallSilent?(): void;
}

/** A message of the API, as JSON has it. */
export type Message = Readonly<Record<string, unknown>>;

/** The message of a request; the store stands in the path over HTTP and in the message otherwise. */
export function toMessage(request: LockRequest): Message {
  return MESSAGES[request.kind](request);
}

const namedToken = ({ named }: LockRequest): Message =>
  named === undefined ? {} : { fencingToken: named };

const MESSAGES: Readonly<Record<CallKind, (request: LockRequest) => Message>> = {
  tryLock: ({ resourceId, owner: lockOwner, ttlMs }) => ({
    resourceId,
    lockOwner,
    expiryInSeconds: ttlMs / 1000,
  }),
  unlock: ({ resourceId, owner: lockOwner }) => ({ resourceId, lockOwner }),
  acquire: ({ resourceId, owner: lockOwner, ttlMs, waitMs = 0 }) => ({
    resourceId,
    lockOwner,
    ttlMs,
    waitMs,
  }),
  renew: (request) => ({ ...MESSAGES.release(request), ttlMs: request.ttlMs }),
  release: (request) => ({ ...MESSAGES.unlock(request), ...namedToken(request) }),
  forceRelease: (request) => {
    const { resourceId, owner: lockOwner, named, expiresAtMs } = request;
    const end = named === 0 ? { lockOwner, expiresAtMs } : {};
    return { resourceId, ...namedToken(request), ...end, reason: 'the fault run wants it' };
  },
  get: ({ resourceId }) => ({ resourceId }),
  list: ({ resourceId: prefix, pageToken = '' }) => ({ prefix, pageSize: 5, pageToken }),
};

const UNLOCK_ANSWERS = ['unlocked', 'not_found', 'held_by_other'] as const;

const STATUS_ANSWERS: Readonly<Record<string, Answer>> = {
  RENEWED: 'renewed',
  RELEASED: 'unlocked',
  NOT_FOUND: 'not_found',
  HELD_BY_OTHER: 'held_by_other',
  SUCCESS: 'unlocked',
  LOCK_DOES_NOT_EXIST: 'not_found',
  LOCK_BELONGS_TO_OTHERS: 'held_by_other',
};

interface WireLock {
  readonly resourceId: string;
  readonly lockOwner: string;
  readonly fencingToken: number;
  readonly ttlMs?: number | null;
  readonly expiresAtMs: number;
}

interface WireLease {
  readonly fencingToken: number;
  readonly validMs: number;
}

/** A response as JSON has it: the fields of all of them. */
interface WireResponse {
  readonly success?: boolean;
  readonly acquired?: boolean;
  readonly fencingToken?: number | undefined;
  readonly status?: string | number;
  readonly lease?: WireLease | null;
  readonly holder?: WireLock | null;
  readonly lock?: WireLock | null;
  readonly locks?: readonly WireLock[];
  readonly nextPageToken?: string;
}

/** The answer that a response stands for. */
export function toAnswer(kind: CallKind, response: object): CallAnswer {
  const { success, acquired, fencingToken, lease, holder, lock, ...rest }: WireResponse = response;
  const { fencingToken: token, validMs } = lease ?? {};
  switch (kind) {
    case 'tryLock':
      return success === true ? { answer: 'acquired', token: fencingToken } : { answer: 'refused' };
    case 'acquire':
      if (acquired === true) return { answer: 'acquired', token, validMs };
      return { answer: 'refused', ...(holder ? { seen: toSeen(holder) } : {}) };
    case 'get':
      return lock ? { answer: 'seen', seen: toSeen(lock) } : { answer: 'free' };
    case 'list': {
      const { locks = [], nextPageToken = '' } = rest;
      return { answer: 'seen', locks: locks.map(toListed), nextPageToken };
    }
    default:
      return { answer: toStatus(rest.status), token, validMs };
  }
}

/** Dapr's unlock has numbers, and leaves the first out over gRPC. */
function toStatus(status: string | number | undefined): Answer {
  return STATUS_ANSWERS[String(status)] ?? UNLOCK_ANSWERS[Number(status ?? 0)]!;
}

function toSeen({ lockOwner: owner, fencingToken: token, ttlMs, expiresAtMs }: WireLock): SeenLock {
  return { owner, token, leftMs: ttlMs ?? undefined, expiresAtMs };
}

function toListed(lock: WireLock) {
  return { resourceId: lock.resourceId, ...toSeen(lock) };
}

/** An event of a hold, in the form that it has over HTTP. */
interface WireEvent {
  readonly type: HoldEvent['type'];
  readonly lease?: WireLease | null;
  readonly validMs?: number;
  readonly reason?: string;
  readonly holder?: WireLock | null;
}

/** An event of a hold. */
export function toHoldEvent({
  type,
  lease,
  validMs,
  reason,
  holder,
}: WireEvent): Omit<HoldEvent, 'atMs'> {
  if (type === 'held') return { type, token: lease?.fencingToken, validMs: lease?.validMs };
  if (type === 'refused') return holder ? { type, holder: toSeen(holder) } : { type };
  return { type, validMs, reason };
}
