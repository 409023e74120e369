import type { ComponentManifest } from '../components/manifest';
import type { AppOptions } from './app-options';

/** The name of the built-in secret store, as in daprd (dapr/dapr pkg/components/secretstores). */
const KUBERNETES_SECRETS = 'kubernetes';

/**
 * The secret store of components that name none: that of the cluster in mode kubernetes, even if it
 * is turned off (dapr/dapr pkg/runtime/processor/secret).
 */
export function defaultSecretStoreOf({ mode }: Pick<AppOptions, 'mode'>): string | undefined {
  return mode === 'kubernetes' ? KUBERNETES_SECRETS : undefined;
}

/** The components that exist without a manifest. */
export function builtInComponentsOf({
  mode,
  hasBuiltInSecretStore,
}: Pick<AppOptions, 'mode' | 'hasBuiltInSecretStore'>): readonly ComponentManifest[] {
  if (mode !== 'kubernetes' || !hasBuiltInSecretStore) return [];
  return [
    {
      name: KUBERNETES_SECRETS,
      type: 'secretstores.kubernetes',
      version: 'v1',
      properties: [],
      secretStore: undefined,
      ignoreErrors: false,
      initTimeoutMs: 5000,
      file: 'built-in',
    },
  ];
}
