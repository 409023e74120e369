import path from 'node:path';

import { readRegularFile } from '../base/regular-file';

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where the kubelet mounts the service account of a pod. */
const ACCOUNT_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The API server of the cluster, and the service account that a pod has there. */
export interface ServiceAccount {
  readonly host: string;
  readonly port: string;
  /** The certificate authority of the API server (PEM). Read at every request. */
  readonly caFile: string;
  /** The token. Read at every request, because the kubelet replaces it before it expires. */
  readonly tokenFile: string;
  readonly namespace: string;
}

/**
 * Finds the service account of this pod, as Kubernetes' own clients do. NAMESPACE, which Dapr's
 * injector sets, overrides the namespace of the account.
 *
 * @throws {Error} if the process does not run in a pod, or the pod has no service account
 */
export async function findServiceAccount(environment: Environment): Promise<ServiceAccount> {
  const {
    KUBERNETES_SERVICE_HOST: host = '',
    KUBERNETES_SERVICE_PORT: port = '443',
    HOLDFAST_SERVICE_ACCOUNT_FOLDER: folder = ACCOUNT_FOLDER,
    NAMESPACE: namespace = '',
  } = environment;
  if (host === '') {
    throw new Error(
      'the Kubernetes API is reached from within a pod only: KUBERNETES_SERVICE_HOST is not set',
    );
  }
  const [caFile, tokenFile] = [path.join(folder, 'ca.crt'), path.join(folder, 'token')];
  return {
    host,
    port,
    caFile,
    tokenFile,
    namespace: namespace === '' ? await readNamespace(folder) : namespace,
  };
}

async function readNamespace(folder: string): Promise<string> {
  const text = await readRegularFile(path.join(folder, 'namespace'));
  return text.trim();
}
