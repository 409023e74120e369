import type { MetadataProperties } from '../metadata-properties';
import type { Environment } from './environment-access';
import { createEnvironmentSecrets } from './environment-secrets';
import { createFileSecrets } from './file-secrets';
import type { SecretStore } from './secret-store';

/** Where secret stores find what is outside of the sidecar. */
export interface SecretSources {
  readonly environment: Environment;
  /** Creates the store of Kubernetes' secrets. Undefined if they can't be read. */
  readonly createClusterSecrets?: (properties: MetadataProperties) => SecretStore;
}

type Creator = (properties: MetadataProperties, sources: SecretSources) => SecretStore;

/** The supported secret stores, by component type. */
const CREATORS: Readonly<Record<string, Creator>> = {
  'secretstores.local.env': (properties, { environment }) =>
    createEnvironmentSecrets(properties, environment),
  'secretstores.local.file': createFileSecrets,
  'secretstores.kubernetes': (properties, { createClusterSecrets }) => {
    if (createClusterSecrets !== undefined) return createClusterSecrets(properties);
    throw new Error('secrets of Kubernetes can be read in a pod only');
  },
};

/** The supported types, for messages. */
export const SECRET_STORE_TYPES: readonly string[] = Object.keys(CREATORS);

/** True for the types that {@link createSecretStore} supports. */
export function isSecretStoreType(type: string): boolean {
  return Object.hasOwn(CREATORS, type.toLowerCase());
}

/**
 * Creates the secret store of a component.
 *
 * @throws {Error} if its metadata is invalid or its file can't be read
 */
export function createSecretStore(
  type: string,
  properties: MetadataProperties,
  sources: SecretSources,
): SecretStore {
  const create = CREATORS[type.toLowerCase()];
  if (create === undefined) throw new Error(`couldn't find secret store ${type}`);
  return create(properties, sources);
}
