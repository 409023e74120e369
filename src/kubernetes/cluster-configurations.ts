import type { Logger } from '../base/logger';
import { MetadataProperties } from '../components/metadata-properties';
import type { YamlDocument } from '../manifests/yaml-documents';
import type { ApiClient } from './api-client';
import { toDocument } from './api-object';
import { createClusterSecrets } from './cluster-secrets';
import { toCollectionPath } from './dapr-resources';
import { FollowedList } from './followed-list';
import { withHeaderSecrets } from './header-secrets';

/** The configurations of `--config NAME`, in the pod's namespace. */
export class ClusterConfigurations {
  readonly #client: ApiClient;
  readonly #logger: Logger;
  readonly #lists = new Map<string, FollowedList>();

  constructor(client: ApiClient, logger: Logger) {
    this.#client = client;
    this.#logger = logger;
  }

  /**
   * Reads a configuration, and the secrets that its trace headers refer to.
   *
   * @throws {Error} if there is none of this name, or the server refuses
   */
  async read(name: string): Promise<YamlDocument> {
    const client = this.#client;
    const [object] = await this.#listOf(name).read();
    if (object === undefined) {
      throw new Error(`there is no configuration.dapr.io ${name} in namespace ${client.namespace}`);
    }
    const secrets = createClusterSecrets(new MetadataProperties([]), () => Promise.resolve(client));
    return toDocument(await withHeaderSecrets(object, secrets));
  }

  /** Follows the configurations that were read, until the returned function is called. */
  watch(onChange: () => void): () => void {
    const stops = [...this.#lists.values()].map((list) => list.follow(onChange));
    return () => {
      for (const stop of stops) stop();
    };
  }

  #listOf(name: string): FollowedList {
    const known = this.#lists.get(name);
    if (known !== undefined) return known;
    const client = this.#client;
    const path = toCollectionPath(client.namespace, 'configurations');
    const what = `configuration.dapr.io ${name} of namespace ${client.namespace}`;
    const list = new FollowedList({ client, path, name, what, logger: this.#logger });
    this.#lists.set(name, list);
    return list;
  }
}
