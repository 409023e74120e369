import type { Logger } from '../base/logger';
import type { MetadataProperties } from '../components/metadata-properties';
import type { SecretStore } from '../components/secrets/secret-store';
import type { Cluster } from '../kubernetes/cluster';
import type { ManifestSource } from '../manifests/manifest-source';
import type { YamlDocument } from '../manifests/yaml-documents';

/**
 * The cluster of this sidecar, found at first use. Its code is loaded only then, because most
 * sidecars read files.
 */
export class LazyCluster {
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #logger: Logger;
  #cluster: Promise<Cluster> | undefined;
  #stopWatch: (() => void) | undefined;

  constructor(environment: Readonly<Record<string, string | undefined>>, logger: Logger) {
    this.#environment = environment;
    this.#logger = logger;
  }

  /** The components and resiliencies of the pod's namespace. @throws {Error} outside of a pod */
  async openManifests(): Promise<ManifestSource> {
    const { manifests, client } = await this.#open();
    this.#logger.info(
      `Reading resources of namespace ${client.namespace} from ${client.urlOf('')}`,
    );
    return manifests;
  }

  /** Reads a configuration of the pod's namespace. @throws {Error} if it can't be read */
  async readConfiguration(name: string): Promise<YamlDocument> {
    const { configurations } = await this.#open();
    return configurations.read(name);
  }

  /** Starts or stops following the configurations that were read. */
  async followConfigurations(isOn: boolean, onChange: () => void): Promise<void> {
    if (!isOn) {
      this.#stopWatch?.();
      this.#stopWatch = undefined;
    } else if (this.#cluster !== undefined) {
      const { configurations } = await this.#cluster;
      this.#stopWatch ??= configurations.watch(onChange);
    }
  }

  /** Creates a `secretstores.kubernetes`. The cluster is found at its first secret. */
  createSecrets(properties: MetadataProperties): SecretStore {
    let store: Promise<SecretStore> | undefined;
    const open = async (): Promise<SecretStore> => {
      const { createClusterSecrets } = await import('../kubernetes/cluster-secrets.js');
      return createClusterSecrets(properties, async () => (await this.#open()).client);
    };
    return {
      get: async (name) => {
        store ??= open();
        return (await store).get(name);
      },
    };
  }

  /** Ends all requests. */
  async close(): Promise<void> {
    this.#stopWatch?.();
    const cluster = await this.#cluster?.catch(() => undefined);
    cluster?.client.close();
  }

  #open(): Promise<Cluster> {
    this.#cluster ??= this.#find().catch((error: unknown) => {
      // The next use tries again.
      this.#cluster = undefined;
      throw error;
    });
    return this.#cluster;
  }

  async #find(): Promise<Cluster> {
    const { openCluster } = await import('../kubernetes/cluster.js');
    return openCluster(this.#environment, this.#logger);
  }
}
