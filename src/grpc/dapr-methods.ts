import type { DaprApi } from '../api/dapr-api';
import type { SidecarMetadataView } from '../sidecar/metadata';
import { bindMethods, type GrpcMethod } from './grpc-method';
import { loadDaprService } from './proto-files';

/** Dapr's methods as the gRPC server takes them. */
export function createDaprMethods(api: DaprApi): readonly GrpcMethod[] {
  const definitions = new Map(
    Object.values(loadDaprService()).map((method) => [method.path, method]),
  );
  return bindMethods(api, definitions, { GetMetadata: toMetadataResponse });
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
