import { ComponentManager, type ComponentManagerOptions } from '../components/component-manager';
import type { Metrics } from '../observability/metrics';
import type { AppContext, AppOptions } from './app-options';
import { defaultSecretStoreOf } from './built-in-components';
import { toComponentEnvironment } from './component-environment';
import type { LazyCluster } from './lazy-cluster';
import type { StoreFactory } from './store-factory';

/** The parts of the app that components need. */
export interface ComponentParts extends Pick<
  ComponentManagerOptions,
  'isDenied' | 'stores' | 'metadata'
> {
  readonly cluster: LazyCluster;
  readonly factory: StoreFactory;
  readonly metrics: Metrics;
}

/** Creates the components of a sidecar. */
export function createComponents(
  options: AppOptions,
  { logger, environment }: AppContext,
  { cluster, factory, metrics, ...parts }: ComponentParts,
): ComponentManager {
  return new ComponentManager({
    ...parts,
    appId: options.appId,
    environment: toComponentEnvironment(environment, options),
    createClusterSecrets: (properties) => cluster.createSecrets(properties),
    defaultSecretStore: defaultSecretStoreOf(options),
    createStore: (manifest, made) => factory.create(manifest, made),
    observe: (component, failedAt) => {
      metrics.recordComponent(component, failedAt);
    },
    logger: logger.scoped('dapr.runtime.processor'),
  });
}
