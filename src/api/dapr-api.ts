import type {
  LockService,
  TryLockAnswer,
  TryLockRequest,
  UnlockRequest,
  UnlockStatus,
} from '../lock/lock-service';
import { API_TOKEN_HEADER } from '../sidecar/api-token';
import type { SidecarMetadataView } from '../sidecar/metadata';
import type { UnaryMethod } from './api-method';
import { FORCE_SHUTDOWN_HEADER, type Sidecar, type SidecarBehind } from './sidecar';

/** The path of a method of Dapr's gRPC service. */
type DaprPath = `/dapr.proto.runtime.v1.Dapr/${string}`;

/** Dapr's methods by operation name: the method table that both transports serve. */
export interface DaprApi {
  readonly TryLock: UnaryMethod<TryLockRequest, TryLockAnswer>;
  readonly Unlock: UnaryMethod<UnlockRequest, { readonly status: UnlockStatus }>;
  readonly GetMetadata: UnaryMethod<object, SidecarMetadataView>;
  readonly SetMetadata: UnaryMethod<{ readonly key: string; readonly value: string }, object>;
  readonly Shutdown: UnaryMethod<object, object>;
  readonly GetHealthz: UnaryMethod<{ readonly appId: string }, HealthAnswer>;
  readonly GetOutboundHealthz: UnaryMethod<object, { readonly isReady: boolean }>;
}

/**
 * The header (HTTP) and trailing metadata (gRPC) with the fencing token of a granted TryLock.
 * Dapr's answers have no field for it.
 */
export const FENCING_TOKEN_HEADER = 'holdfast-fencing-token';

/** The answer to a health probe. */
export interface HealthAnswer {
  /** The targets that are not ready yet. Empty once the sidecar is ready. */
  readonly unreadyTargets: readonly string[];
  /** True if the probe names an app other than the sidecar's. */
  readonly isForOtherApp: boolean;
}

/**
 * Creates the method table. Its rows are those of daprd (dapr/dapr pkg/api/http and pkg/api/grpc).
 */
export function createDaprApi(locks: LockService, sidecar: Sidecar): DaprApi {
  return {
    ...createLockMethods(locks),
    ...createSidecarMethods(sidecar),
    ...createProbes(sidecar),
  };
}

function createLockMethods(locks: LockService): Pick<DaprApi, 'TryLock' | 'Unlock'> {
  return {
    TryLock: {
      operation: 'TryLock',
      access: 'lock',
      grpcPath: daprPath('TryLockAlpha1'),
      http: [{ verb: 'POST', template: '/v1.0-alpha1/lock/{store}' }],
      isPublic: false,
      kind: 'unary',
      handle: async (request, call) => {
        const answer = await locks.tryLock(request, call);
        const { fencingToken } = answer;
        if (fencingToken !== undefined) call.attach(FENCING_TOKEN_HEADER, String(fencingToken));
        return answer;
      },
    },
    Unlock: {
      operation: 'Unlock',
      access: 'unlock',
      grpcPath: daprPath('UnlockAlpha1'),
      http: [{ verb: 'POST', template: '/v1.0-alpha1/unlock/{store}' }],
      isPublic: false,
      kind: 'unary',
      handle: (request, call) => locks.unlock(request, call),
    },
  };
}

function createSidecarMethods(
  sidecar: Sidecar,
): Pick<DaprApi, 'GetMetadata' | 'SetMetadata' | 'Shutdown'> {
  const { metadata } = sidecar;
  return {
    GetMetadata: {
      operation: 'GetMetadata',
      access: 'metadata',
      grpcPath: daprPath('GetMetadata'),
      http: [{ verb: 'GET', template: '/v1.0/metadata' }],
      isPublic: true,
      behind: 'joined',
      kind: 'unary',
      handle: () => metadata.view(),
    },
    SetMetadata: {
      operation: 'SetMetadata',
      access: 'metadata',
      grpcPath: daprPath('SetMetadata'),
      http: [{ verb: 'PUT', template: '/v1.0/metadata/{key}' }],
      isPublic: true,
      behind: 'passed',
      kind: 'unary',
      handle: ({ key, value }) => {
        metadata.set(key, value);
        return {};
      },
    },
    Shutdown: {
      operation: 'Shutdown',
      access: 'shutdown',
      grpcPath: daprPath('Shutdown'),
      http: [{ verb: 'POST', template: '/v1.0/shutdown' }],
      isPublic: false,
      kind: 'unary',
      handle: (_request, call) => {
        const force = call.metadata(FORCE_SHUTDOWN_HEADER) === 'true';
        const { behind } = sidecar;
        const stop = (): void => {
          sidecar.requestShutdown({ force });
        };
        // Answer first: the answers of a server that is closing ask clients to close the
        // connection.
        if (behind === undefined) setImmediate(stop);
        else void behind.shutDown({ force, token: call.metadata(API_TOKEN_HEADER) }).then(stop);
        return {};
      },
    },
  };
}

/** The HTTP probes. Over gRPC, grpc.health.v1 replaces them: see grpc/transport-methods.ts. */
function createProbes({
  appId: ownAppId,
  health,
  behind,
}: Sidecar): Pick<DaprApi, 'GetHealthz' | 'GetOutboundHealthz'> {
  return {
    GetHealthz: {
      operation: 'GetHealthz',
      access: 'probe',
      grpcPath: undefined,
      http: [{ verb: 'GET', template: '/v1.0/healthz' }],
      isPublic: true,
      kind: 'unary',
      handle: ({ appId }) => {
        const isForOtherApp = appId !== '' && appId !== ownAppId;
        const own = { unreadyTargets: health.unreadyTargets, isForOtherApp };
        return behind === undefined ? own : withBehind(own, behind);
      },
    },
    GetOutboundHealthz: {
      operation: 'GetOutboundHealthz',
      access: 'probe',
      grpcPath: undefined,
      http: [{ verb: 'GET', template: '/v1.0/healthz/outbound' }],
      isPublic: true,
      kind: 'unary',
      handle: () => {
        if (behind === undefined || !health.outboundReady) return { isReady: health.outboundReady };
        return behind.isOutboundReady().then((isReady) => ({ isReady }));
      },
    },
  };
}

async function withBehind(own: HealthAnswer, behind: SidecarBehind): Promise<HealthAnswer> {
  if (await behind.isReady()) return own;
  return { ...own, unreadyTargets: [...own.unreadyTargets, 'upstream'] };
}

function daprPath(name: string): DaprPath {
  return `/dapr.proto.runtime.v1.Dapr/${name}`;
}
