import type { MetadataProperties } from '../metadata-properties';
import { type Environment, isSidecarVariable } from './environment-access';
import { SecretError, type SecretStore } from './secret-store';

/**
 * `secretstores.local.env`: each environment variable is a secret with one key, its own name.
 * `prefix` is put before every requested name.
 */
export function createEnvironmentSecrets(
  properties: MetadataProperties,
  environment: Environment,
): SecretStore {
  const prefix = properties.get('prefix') ?? '';
  return {
    get(name) {
      const variable = prefix + name;
      if (isSidecarVariable(variable)) {
        throw new SecretError(`the environment variable ${variable} may not be read`);
      }
      const value = environment[variable];
      if (value === undefined) {
        throw new SecretError(`the environment variable ${variable} is not set`);
      }
      return new Map([[name, value]]);
    },
  };
}
