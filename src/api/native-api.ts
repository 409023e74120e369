import type {
  AcquireAnswer,
  AcquireRequest,
  ForceReleaseRequest,
  HoldEvent,
  HoldRequest,
  ListAnswer,
  ListRequest,
  LockInfo,
  LockName,
  NativeCaller,
  NativeLockService,
  ReleaseAnswer,
  ReleaseRequest,
  RenewAnswer,
  RenewRequest,
} from '../lock/native-lock-service';
import type { HttpForm, MethodCall, MethodRow, StreamMethod, UnaryMethod } from './api-method';
import { HoldStream } from './hold-stream';

/**
 * The methods of holdfast.v1.Locks by operation name: the method table that both transports serve.
 */
export interface NativeApi {
  readonly Acquire: UnaryMethod<AcquireRequest, AcquireAnswer>;
  readonly Renew: UnaryMethod<RenewRequest, RenewAnswer>;
  readonly Release: UnaryMethod<ReleaseRequest, ReleaseAnswer>;
  readonly Hold: StreamMethod<HoldRequest, HoldEvent>;
  readonly Get: UnaryMethod<LockName, LockInfo | undefined>;
  readonly List: UnaryMethod<ListRequest, ListAnswer>;
  readonly ForceRelease: UnaryMethod<ForceReleaseRequest, ReleaseAnswer>;
}

/** Creates the method table. */
export function createNativeApi(locks: NativeLockService): NativeApi {
  return { ...createChangingMethods(locks), ...createViews(locks) };
}

function createChangingMethods(locks: NativeLockService): Omit<NativeApi, 'Get' | 'List'> {
  return {
    Acquire: {
      ...toRow('Acquire', { verb: 'POST', template: `${LOCKS}/acquire` }),
      kind: 'unary',
      handle: (request, call) => {
        if (request.waitMs > 0) call.waits();
        return locks.acquire(request, toCaller(call));
      },
    },
    Renew: {
      ...toRow('Renew', { verb: 'POST', template: `${LOCKS}/renew` }),
      kind: 'unary',
      handle: (request, call) => locks.renew(request, toCaller(call)),
    },
    Release: {
      ...toRow('Release', { verb: 'POST', template: `${LOCKS}/release` }),
      kind: 'unary',
      handle: (request, call) => locks.release(request, toCaller(call)),
    },
    Hold: {
      ...toRow('Hold', { verb: 'POST', template: `${LOCKS}/hold` }),
      kind: 'server-streaming',
      open: (request, stream) => new HoldStream(stream).begin(locks, request),
    },
    ForceRelease: {
      ...toRow('ForceRelease', { verb: 'POST', template: `${LOCKS}/force-release` }),
      kind: 'unary',
      handle: (request, call) => locks.forceRelease(request, toCaller(call)),
    },
  };
}

function createViews(locks: NativeLockService): Pick<NativeApi, 'Get' | 'List'> {
  return {
    Get: {
      ...toRow('Get', { verb: 'GET', template: `${LOCKS}/lock` }),
      kind: 'unary',
      handle: (request, call) => locks.get(request, toCaller(call)),
    },
    List: {
      ...toRow('List', { verb: 'GET', template: LOCKS }),
      kind: 'unary',
      handle: (request, call) => locks.list(request, toCaller(call)),
    },
  };
}

/** The HTTP path of a store's locks. */
const LOCKS = '/holdfast/v1/locks/{store}';

function toRow(operation: keyof NativeApi, form: HttpForm): MethodRow {
  const grpcPath = `/holdfast.v1.Locks/${operation}`;
  return { operation, access: 'locks', grpcPath, http: [form], isPublic: false };
}

/**
 * A lease counts from the arrival of its call. The request has already been read here, so the
 * counted time is later than the true arrival. That makes `validMs` shorter, never longer, for a
 * client that counts from when it sent the call.
 */
function toCaller({ signal, observer }: MethodCall): NativeCaller {
  return { signal, observer, arrivedAtMs: performance.now() };
}
