import { initFailure } from '../init-lock-store';
import type { ComponentManifest } from '../manifest';
import { redactError } from '../redaction';
import type { ResolvedProperties } from '../resolve-properties';
import type { SecretStore } from './secret-store';
import { createSecretStore, type SecretSources } from './secret-stores';

/** The secret stores of a sidecar. Each is created again at every reload, to read its file again. */
export class LoadedSecretStores {
  readonly #sources: SecretSources;
  #stores = new Map<string, SecretStore>();
  #previous: ReadonlyMap<string, SecretStore> = new Map();

  constructor(sources: SecretSources) {
    this.#sources = sources;
  }

  /** The usable stores by component name. */
  get byName(): ReadonlyMap<string, SecretStore> {
    return this.#stores;
  }

  /** Begins a reload. Until they are loaded again, only the stores to keep can be used. */
  beginReload(isKept: (name: string) => boolean): void {
    this.#previous = this.#stores;
    this.#stores = new Map([...this.#previous].filter(([name]) => isKept(name)));
  }

  /**
   * Creates the store of a component.
   *
   * @throws {ComponentError} if its metadata is invalid or its file can't be read
   */
  load(manifest: ComponentManifest, { properties, redact }: ResolvedProperties): void {
    try {
      const store = createSecretStore(manifest.type, properties, this.#sources);
      this.#stores.set(manifest.name, store);
    } catch (error) {
      throw initFailure(manifest, redactError(error, redact));
    }
  }

  /** Continues to use the store from before the reload, if there was one. */
  restore(name: string): void {
    const store = this.#previous.get(name);
    if (store !== undefined) this.#stores.set(name, store);
  }
}
