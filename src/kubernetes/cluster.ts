import type { Logger } from '../base/logger';
import { ApiClient } from './api-client';
import { ClusterConfigurations } from './cluster-configurations';
import { ClusterManifests } from './cluster-manifests';
import { type Environment, findServiceAccount } from './service-account';

/** The cluster that the pod of this sidecar runs in. */
export interface Cluster {
  readonly client: ApiClient;
  readonly manifests: ClusterManifests;
  readonly configurations: ClusterConfigurations;
}

/**
 * Finds the API server and the service account. Sends nothing.
 *
 * @throws {Error} if the process does not run in a pod, or the pod has no service account
 */
export async function openCluster(environment: Environment, logger: Logger): Promise<Cluster> {
  const client = new ApiClient(await findServiceAccount(environment));
  return {
    client,
    manifests: new ClusterManifests(client, logger),
    configurations: new ClusterConfigurations(client, logger),
  };
}
