import { toErrorMessage } from '../lock/error-message';
import type { LockKeyPrefix } from '../lock/lock-key';
import type { LockStore } from '../lock/lock-store';
import { toComponentKind } from './component-kinds';
import type { ComponentManagerOptions } from './component-manager-options';
import {
  ComponentError,
  createLockStore,
  initFailure,
  initLockStore,
  toKeyPrefix,
  withoutSecrets,
} from './init-lock-store';
import { type ComponentManifest, toLogName } from './manifest';
import type { MetadataProperties } from './metadata-properties';
import { createRedactedLogger } from './redaction';
import { type ResolvedProperties, resolveProperties } from './resolve-properties';
import type { SecretStore } from './secrets/secret-store';
import { createSecretStore, isSecretStoreType } from './secrets/secret-stores';
import type { ComponentSelection } from './select-components';

/** A component that was initialised. */
interface Running {
  readonly manifest: ComponentManifest;
  readonly fingerprint: string;
  /** Undefined for a secret store: those are read anew every time. */
  readonly lock: LockComponent | undefined;
}

interface LockComponent {
  readonly store: LockStore;
  readonly keyPrefix: LockKeyPrefix;
}

/**
 * The components of a sidecar, from its start on: what the resource folders say is made to be. A
 * store that is to be replaced goes on until its successor is ready, and is closed when its
 * last call has ended.
 */
export class ComponentManager {
  readonly #options: ComponentManagerOptions;
  readonly #running = new Map<string, Running>();
  /** Every store that was opened, or is about to be, and is not closed yet. */
  readonly #open = new Set<LockStore>();
  /** Aborts when nothing is waited for any more. */
  readonly #grace = new AbortController();
  #secretStores = new Map<string, SecretStore>();
  #isClosed = false;
  /** What was said of components that are not served. */
  readonly #said = new Set<string>();
  /** What is wrong with files, as it was said last. */
  #broken: readonly string[] = [];

  constructor(options: ComponentManagerOptions) {
    this.#options = options;
  }

  /**
   * Initialises the components of a start, one after another as daprd does, secret stores first.
   *
   * @throws {Error} in daprd's words for the first that fails, unless it says ignoreErrors
   */
  async start(selection: ComponentSelection): Promise<void> {
    const { logger } = this.#options;
    for (const problem of selection.broken.values()) logger.warn(problem);
    await this.#reach(selection, (manifest, error) => {
      const reason = `process component ${manifest.name} error: ${toErrorMessage(error)}`;
      if (manifest.ignoreErrors) {
        logger.error(`Ignoring error processing component: ${reason}`);
        return;
      }
      logger.warn(`Error processing component, daprd will exit gracefully: ${reason}`);
      throw new Error(`failed to load components: ${reason}`, { cause: error });
    });
  }

  /**
   * Follows a change of the folders: what is gone is closed, what is new or changed is initialised.
   * What fails, or stands in a file that can't be read now, stays as it was.
   *
   * @returns true where anything was changed
   */
  async reload(selection: ComponentSelection): Promise<boolean> {
    this.#sayBroken(selection.broken);
    const removed = this.#removeMissing(selection);
    const changed = await this.#reach(selection, ({ name }) => {
      if (!this.#running.has(name)) return;
      this.#options.logger.error(`Component ${name} stays as it was before`);
    });
    return removed || changed;
  }

  /** True where a component that is in use stands in a file. */
  isFrom(file: string): boolean {
    return [...this.#running.values()].some(({ manifest }) => manifest.file === file);
  }

  /** Closes every store; once the grace is over without waiting for its calls. */
  async close(grace: AbortSignal): Promise<void> {
    this.#isClosed = true;
    const abort = (): void => {
      this.#grace.abort();
    };
    if (grace.aborted) abort();
    grace.addEventListener('abort', abort, { once: true });
    for (const { manifest } of this.#running.values()) {
      this.#options.logger.info(`Shutting down component ${toLogName(manifest)}`);
    }
    await Promise.all([...this.#open].map((store) => this.#closeStore(store)));
    grace.removeEventListener('abort', abort);
  }

  /** Says what is wrong with files when it goes wrong, not at every reading. */
  #sayBroken(broken: ComponentSelection['broken']): void {
    const running = [...this.#running.values()].map(({ manifest }) => manifest);
    const sentences = [...broken].map(([file, problem]) => {
      const kept = running.filter((manifest) => manifest.file === file).map(({ name }) => name);
      return kept.length === 0 ? problem : `${problem}; still in use: ${kept.join(', ')}`;
    });
    for (const sentence of sentences) {
      if (!this.#broken.includes(sentence)) this.#options.logger.error(sentence);
    }
    this.#broken = sentences;
  }

  #removeMissing({ manifests, broken }: ComponentSelection): boolean {
    const wanted = new Set(manifests.map(({ name }) => name));
    const missing = [...this.#running.values()].filter(
      ({ manifest }) => !wanted.has(manifest.name) && !broken.has(manifest.file),
    );
    for (const { manifest, lock } of missing) {
      const { name } = manifest;
      this.#options.logger.info(`Component removed: ${toLogName(manifest)}`);
      this.#running.delete(name);
      this.#options.stores.remove(name);
      this.#options.metadata.removeComponent(name);
      if (lock !== undefined) this.#retire(lock.store);
    }
    return missing.length > 0;
  }

  async #reach(
    { manifests }: ComponentSelection,
    onFailure: (manifest: ComponentManifest, error: unknown) => void,
  ): Promise<boolean> {
    const served = manifests.filter((manifest) => this.#isServed(manifest));
    const secretStores = served.filter(({ type }) => isSecretStoreType(type));
    const others = served.filter(({ type }) => !isSecretStoreType(type));
    let changed = false;
    const previous = this.#secretStores;
    this.#secretStores = new Map();
    for (const manifest of [...secretStores, ...others]) {
      try {
        changed = (await this.#follow(manifest)) || changed;
      } catch (error) {
        this.#report(manifest, error);
        const old = previous.get(manifest.name);
        if (old !== undefined) this.#secretStores.set(manifest.name, old);
        onFailure(manifest, error);
      }
    }
    return changed;
  }

  #report(manifest: ComponentManifest, error: unknown): void {
    const { logger, observe } = this.#options;
    logger.error(`Failed to init component ${toLogName(manifest)}: ${toErrorMessage(error)}`);
    observe(manifest, error instanceof ComponentError ? error.step : 'init');
  }

  /** False for what is no business of this sidecar, which is said once. */
  #isServed(manifest: ComponentManifest): boolean {
    const reason = this.#options.isDenied(manifest)
      ? 'is denied by the configuration (components.deny)'
      : toComponentKind(manifest.type) === 'other-building-block'
        ? 'belongs to a building block that is not served'
        : undefined;
    if (reason === undefined) return true;
    const sentence = `Component ${toLogName(manifest)} ${reason}; ignored`;
    if (!this.#said.has(sentence)) this.#options.logger.warn(sentence);
    this.#said.add(sentence);
    return false;
  }

  /** Makes a component what its manifest says; true where it was anything else before. */
  async #follow(manifest: ComponentManifest): Promise<boolean> {
    if (toComponentKind(manifest.type) === 'unknown') {
      const cause = new Error(`incorrect type ${manifest.type}`);
      throw new ComponentError(cause.message, { step: 'creation', cause });
    }
    const resolved = this.#resolve(manifest);
    const { name, type, version } = manifest;
    const fingerprint = `${type}/${version} ${resolved.fingerprint}`;
    const before = this.#running.get(name);
    const known = before?.fingerprint === fingerprint ? before : undefined;
    try {
      let lock: LockComponent | undefined;
      if (isSecretStoreType(type)) this.#loadSecretStore(manifest, resolved.properties);
      else lock = await this.#loadLockStore(manifest, resolved, known);
      this.#running.set(name, { manifest, fingerprint, lock });
      if (known !== undefined && lock?.keyPrefix.text === known.lock?.keyPrefix.text) return false;
    } catch (error) {
      throw withoutSecrets(error, { manifest, redact: resolved.redact });
    }
    this.#publish(manifest, before);
    return true;
  }

  #resolve(manifest: ComponentManifest): ResolvedProperties {
    const { environment, appId } = this.#options;
    try {
      return resolveProperties(manifest, { secretStores: this.#secretStores, environment, appId });
    } catch (error) {
      throw initFailure(manifest, initFailure(manifest, error));
    }
  }

  #loadSecretStore(manifest: ComponentManifest, properties: MetadataProperties): void {
    try {
      const store = createSecretStore(manifest.type, properties, this.#options.environment);
      this.#secretStores.set(manifest.name, store);
    } catch (error) {
      throw initFailure(manifest, error);
    }
  }

  /** The store as it is where only its keys change, a new one that is ready otherwise. */
  async #loadLockStore(
    manifest: ComponentManifest,
    { properties, redact }: ResolvedProperties,
    known: Running | undefined,
  ): Promise<LockComponent> {
    const keyPrefix = toKeyPrefix(manifest, properties, this.#options.appId);
    if (known?.lock !== undefined) return { store: known.lock.store, keyPrefix };
    if (this.#isClosed) throw initFailure(manifest, new Error('the sidecar is stopping'));
    const logger = createRedactedLogger(this.#options.logger, redact);
    const store = createLockStore(manifest, () =>
      this.#options.createStore(manifest, { properties, logger }),
    );
    this.#open.add(store);
    try {
      await initLockStore(manifest, store);
    } catch (error) {
      this.#open.delete(store);
      throw error;
    }
    return { store, keyPrefix };
  }

  /** Lets clients find what is running by now, and lets go of what was there before. */
  #publish({ name, type, version }: ComponentManifest, before: Running | undefined): void {
    const { stores, metadata, logger, observe } = this.#options;
    const lock = this.#running.get(name)?.lock;
    if (lock !== undefined) stores.add({ name, ...lock });
    else stores.remove(name);
    metadata.setComponent({ name, type, version });
    const verb = before === undefined ? 'loaded' : 'updated';
    logger.info(`Component ${verb}: ${toLogName({ name, type, version })}`);
    observe({ name, type }, undefined);
    if (before?.lock !== undefined && before.lock.store !== lock?.store) {
      this.#retire(before.lock.store);
    }
  }

  /** Closes a store that nobody finds any more, once the calls that have found it have ended. */
  #retire(store: LockStore): void {
    void this.#options.stores.whenUnused(store).then(() => this.#closeStore(store));
  }

  async #closeStore(store: LockStore): Promise<void> {
    await store.close(this.#grace.signal);
    this.#open.delete(store);
  }
}
