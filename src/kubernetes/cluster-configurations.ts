import type { Logger } from '../base/logger';
import type { YamlDocument } from '../manifests/yaml-documents';
import type { ApiClient } from './api-client';
import { toDocument } from './api-object';
import { toCollectionPath } from './dapr-resources';
import { FollowedList } from './followed-list';

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
   * Reads a configuration.
   *
   * @throws {Error} if there is none of this name, or the server refuses
   */
  async read(name: string): Promise<YamlDocument> {
    const [object] = await this.#listOf(name).read();
    if (object !== undefined) return toDocument(object);
    const { namespace } = this.#client;
    throw new Error(`there is no configuration.dapr.io ${name} in namespace ${namespace}`);
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
