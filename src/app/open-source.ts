import type { Logger } from '../base/logger';
import { ManifestFolders } from '../manifests/manifest-folders';
import type { ManifestSource } from '../manifests/manifest-source';
import type { AppOptions } from './app-options';
import type { LazyCluster } from './lazy-cluster';

/**
 * Where components and resiliencies come from: folders, or in mode kubernetes the API server, unless
 * folders are given.
 *
 * @throws {Error} if a cluster is needed, and the process does not run in a pod
 */
export async function openSource(
  { mode, resourcesPaths }: Pick<AppOptions, 'mode' | 'resourcesPaths'>,
  cluster: LazyCluster,
  logger: Logger,
): Promise<ManifestSource> {
  if (mode === 'kubernetes' && resourcesPaths.length === 0) return cluster.openManifests();
  return new ManifestFolders(resourcesPaths, logger.scoped('dapr.runtime.processor'));
}
