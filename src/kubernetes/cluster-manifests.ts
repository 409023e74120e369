import type { Logger } from '../base/logger';
import type { ManifestFile, ManifestSource } from '../manifests/manifest-source';
import type { ApiClient } from './api-client';
import { toManifestFile } from './api-object';
import { toCollectionPath } from './dapr-resources';
import { FollowedList } from './followed-list';

/** The kinds that are read, in this order. The first versions of Dapr had no resiliencies. */
const KINDS = [
  { plural: 'components', singular: 'component', isOptional: false },
  { plural: 'resiliencies', singular: 'resiliency', isOptional: true },
];

/** The components and resiliencies of the pod's namespace. An object is changed as a whole. */
export class ClusterManifests implements ManifestSource {
  readonly kind = 'Kubernetes resources';
  readonly unread: readonly string[] = [];
  readonly mayBeHalfWritten = false;
  readonly places: readonly string[];
  readonly #lists: readonly { readonly singular: string; readonly list: FollowedList }[];

  constructor(client: ApiClient, logger: Logger) {
    this.places = [`namespace ${client.namespace}`];
    this.#lists = KINDS.map(({ plural, singular, isOptional }) => {
      const path = toCollectionPath(client.namespace, plural);
      const what = `${plural}.dapr.io of namespace ${client.namespace}`;
      return { singular, list: new FollowedList({ client, path, what, isOptional, logger }) };
    });
  }

  /** Reads all objects. @throws {ApiError} if they can't be listed */
  async read(): Promise<readonly ManifestFile[]> {
    const kinds = this.#lists.map(async ({ singular, list }) => {
      const objects = await list.read();
      return objects.map((object) => toManifestFile(singular, object));
    });
    return (await Promise.all(kinds)).flat();
  }

  /** Follows both kinds. */
  watch(onChange: () => void): () => void {
    const stops = this.#lists.map(({ list }) => list.follow(onChange));
    return () => {
      for (const stop of stops) stop();
    };
  }
}
