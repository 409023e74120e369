import type { MethodDefinition, ServiceDefinition } from '@grpc/proto-loader';

import { FORCE_SHUTDOWN_HEADER, type Sidecar } from '../api/sidecar';
import type { CancelSignal } from '../base/cancellation';
import type { LockObserver } from '../lock/lock-observer';
import type { LockService, TryLockRequest, UnlockRequest } from '../lock/lock-service';
import type { SidecarMetadataView } from '../sidecar/metadata';
import { createAnswerEncoder } from './answer-encoder';
import { createRequestDecoder } from './request-decoder';

/** What a call brings beside its message. */
export interface CallContext {
  /** Aborts when the caller has gone or its deadline has passed. */
  readonly signal: CancelSignal;
  /** Is told of the lock call that this call is. */
  readonly lockObserver?: LockObserver | undefined;
  /** The first value of a metadata key, undefined where the call does not carry it. */
  metadata(key: string): string | undefined;
}

/**
 * A unary method as bytes in, bytes out: free of any transport's types, so that another HTTP/2
 * implementation can serve the same table. `call` rejects with a LockError, a RequestDecodeError,
 * or, where there is a defect, with anything.
 */
export interface UnaryMethod {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly call: (request: Buffer, context: CallContext) => Promise<Buffer>;
}

/** The Dapr methods that Holdfast serves, over the loaded service definition. */
export function createDaprMethods(options: {
  readonly service: ServiceDefinition;
  readonly locks: LockService;
  readonly sidecar: Sidecar;
}): readonly UnaryMethod[] {
  const { service, locks, sidecar } = options;
  const method = <Request>(name: string, handle: Handle<Request>): UnaryMethod =>
    toUnaryMethod(definitionOf(service, name), handle);

  return [
    method<TryLockRequest>('TryLockAlpha1', (request, { signal, lockObserver: observer }) =>
      locks.tryLock(request, { signal, observer }),
    ),
    method<UnlockRequest>('UnlockAlpha1', (request, { signal, lockObserver: observer }) =>
      locks.unlock(request, { signal, observer }),
    ),
    method('GetMetadata', () => toMetadataResponse(sidecar.metadata.view())),
    method<{ key: string; value: string }>('SetMetadata', ({ key, value }) => {
      sidecar.metadata.set(key, value);
      return {};
    }),
    method('Shutdown', (_request, context) => {
      sidecar.requestShutdown({ force: context.metadata(FORCE_SHUTDOWN_HEADER) === 'true' });
      return {};
    }),
  ];
}

type Handle<Request> = (request: Request, context: CallContext) => object | Promise<object>;

function toUnaryMethod<Request>(
  definition: MethodDefinition<object, object>,
  handle: Handle<Request>,
): UnaryMethod {
  const decode = createRequestDecoder(definition);
  const encode = createAnswerEncoder(definition);
  return {
    path: definition.path,
    call: async (bytes, context) => {
      // The proto file gives the request its shape; a test holds it against the type named here.
      const request = decode(bytes) as Request;
      return encode(await handle(request, context));
    },
  };
}

function definitionOf(service: ServiceDefinition, name: string): MethodDefinition<object, object> {
  const definition = service[name];
  if (definition === undefined) throw new Error(`the proto files declare no method ${name}`);
  return definition;
}

/** ActorRuntimeStatus.DISABLED: what a sidecar without actors answers. */
const ACTORS_DISABLED = 1;

/** The metadata as daprd's GetMetadataResponse; `actorRuntime` as of a sidecar without placement. */
function toMetadataResponse(view: SidecarMetadataView): object {
  return {
    id: view.id,
    registeredComponents: view.components,
    extendedMetadata: view.extended,
    appConnectionProperties: {
      ...view.appConnection,
      maxConcurrency: Math.max(view.appConnection.maxConcurrency, 0),
    },
    runtimeVersion: view.runtimeVersion,
    enabledFeatures: view.enabledFeatures,
    resiliencies: view.resiliencies.map((name) => ({ name })),
    actorRuntime: { runtimeStatus: ACTORS_DISABLED, placement: 'placement: disconnected' },
  };
}
