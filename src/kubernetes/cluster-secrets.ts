import { toErrorMessage } from '../base/error-message';
import type { MetadataProperties } from '../components/metadata-properties';
import { SecretError, type SecretStore } from '../components/secrets/secret-store';
import type { ApiClient } from './api-client';
import { ApiError } from './api-error';

/**
 * `secretstores.kubernetes` (components-contrib secretstores/kubernetes): a secret of the cluster
 * has the keys and values of its `data`. `defaultNamespace` is read instead of the pod's namespace.
 * Each secret is read once.
 *
 * @param open called at the first secret
 */
export function createClusterSecrets(
  properties: MetadataProperties,
  open: () => Promise<ApiClient>,
): SecretStore {
  const given = properties.get('defaultNamespace') ?? '';
  const read = new Map<string, Promise<ReadonlyMap<string, string>>>();
  const readSecret = async (name: string): Promise<ReadonlyMap<string, string>> => {
    try {
      const client = await open();
      const namespace = given === '' ? client.namespace : given;
      return toValues(await client.get(toSecretPath(namespace, name)));
    } catch (error) {
      throw new SecretError(describe(error), { cause: error });
    }
  };
  return {
    get(name) {
      const known = read.get(name) ?? readSecret(name);
      read.set(name, known);
      return known;
    },
  };
}

function toSecretPath(namespace: string, name: string): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${encodeURIComponent(name)}`;
}

function describe(error: unknown): string {
  const message = toErrorMessage(error);
  if (!(error instanceof ApiError) || error.status !== 403) return message;
  return `${message} (the service account of the pod must be allowed to get this secret)`;
}

function toValues(secret: unknown): ReadonlyMap<string, string> {
  const { data } = secret as { readonly data?: Readonly<Record<string, string>> | null };
  return new Map(
    Object.entries(data ?? {}).map(([key, value]) => [
      key,
      Buffer.from(value, 'base64').toString(),
    ]),
  );
}
