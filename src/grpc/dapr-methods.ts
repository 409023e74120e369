import type { DaprApi } from '../api/dapr-api';
import type { SidecarMetadataView } from '../sidecar/metadata';
import { bindMethods, type GrpcMethod } from './grpc-method';
import { loadDaprService } from './proto-files';

/** Dapr's methods in the form that the gRPC server needs. */
export function createDaprMethods(api: DaprApi): readonly GrpcMethod[] {
  const methods = new Map(Object.values(loadDaprService()).map((method) => [method.path, method]));
  return bindMethods(api, { methods }, { GetMetadata: toMetadataResponse });
}

/** ActorRuntimeStatus.DISABLED, as daprd reports without actors. */
const ACTORS_DISABLED = 1;

/**
 * Converts the metadata to daprd's GetMetadataResponse. `actorRuntime` has the values of a sidecar
 * without placement service.
 */
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
