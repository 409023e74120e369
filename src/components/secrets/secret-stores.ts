import type { MetadataProperties } from '../metadata-properties';
import type { Environment } from './environment-access';
import { createEnvironmentSecrets } from './environment-secrets';
import { createFileSecrets } from './file-secrets';
import type { SecretStore } from './secret-store';

type Creator = (properties: MetadataProperties, environment: Environment) => SecretStore;

/** The secret stores there are, by component type. */
const CREATORS: Readonly<Record<string, Creator>> = {
  'secretstores.local.env': createEnvironmentSecrets,
  'secretstores.local.file': createFileSecrets,
};

/** The types of {@link createSecretStore}, for messages. */
export const SECRET_STORE_TYPES: readonly string[] = Object.keys(CREATORS);

/** True for the component types that {@link createSecretStore} makes. */
export function isSecretStoreType(type: string): boolean {
  return Object.hasOwn(CREATORS, type.toLowerCase());
}

/**
 * Makes the secret store of a component.
 *
 * @throws {Error} where its metadata is wrong or its file can't be read
 */
export function createSecretStore(
  type: string,
  properties: MetadataProperties,
  environment: Environment,
): SecretStore {
  const create = CREATORS[type.toLowerCase()];
  if (create === undefined) throw new Error(`couldn't find secret store ${type}`);
  return create(properties, environment);
}
