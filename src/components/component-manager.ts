import { toErrorMessage } from '../base/error-message';
import type { LockKeyPrefix } from '../lock/lock-key';
import type { LockStore } from '../lock/lock-store';
import { ReportedProblems } from '../manifests/reported-problems';
import { toComponentKind } from './component-kinds';
import type { ComponentManagerOptions } from './component-manager-options';
import {
  ComponentError,
  createLockStore,
  initFailure,
  initLockStore,
  toKeyPrefix,
} from './init-lock-store';
import { type LateComponent, LateComponents } from './late-components';
import { type ComponentManifest, toLogName } from './manifest';
import { OpenStores } from './open-stores';
import { createRedactedLogger, redactError } from './redaction';
import { type ResolvedProperties, resolveProperties } from './resolve-properties';
import type { SecretStore } from './secrets/secret-store';
import { createSecretStore, isSecretStoreType } from './secrets/secret-stores';
import type { ComponentSelection } from './select-components';
import { ServedComponents } from './served-components';

/** An initialised component. */
interface Running {
  readonly manifest: ComponentManifest;
  readonly fingerprint: string;
  /** Undefined for a secret store. Secret stores are read again every time. */
  readonly lock: LockComponent | undefined;
}

interface LockComponent {
  readonly store: LockStore;
  readonly keyPrefix: LockKeyPrefix;
}

/**
 * The components of a sidecar. It makes them match the resource folders, at start and after every
 * change. A store that is replaced stays open until its successor is ready and its last call has
 * ended.
 */
export class ComponentManager {
  readonly #options: ComponentManagerOptions;
  readonly #running = new Map<string, Running>();
  readonly #open: OpenStores;
  readonly #late = new LateComponents({
    onReady: (component) => {
      this.#take(component);
    },
    onFailed: ({ manifest, lock, redact }, cause) => {
      const error = initFailure(manifest, redactError(cause, redact));
      this.#report(manifest, error);
      this.#options.logger.error(`Ignoring error processing component: ${error.message}`);
      void this.#open.discard(lock.store);
    },
  });
  /** Aborts when no more components may be initialised. */
  readonly #loading = new AbortController();
  #secretStores = new Map<string, SecretStore>();
  readonly #served: ServedComponents;
  readonly #broken = new ReportedProblems();

  constructor(options: ComponentManagerOptions) {
    this.#options = options;
    this.#open = new OpenStores(options.stores);
    this.#served = new ServedComponents(options);
  }

  /**
   * Initialises the components at start, one after another as in daprd, secret stores first.
   *
   * @throws {Error} in daprd's words for the first component that fails without ignoreErrors
   */
  async start(selection: ComponentSelection): Promise<void> {
    const { logger } = this.#options;
    this.#broken.report([...selection.broken.values()], (problem) => {
      logger.warn(problem);
    });
    await this.#reach(this.#served.of(selection), (manifest, error) => {
      const reason = `process component ${manifest.name} error: ${toErrorMessage(error)}`;
      if (manifest.ignoreErrors) {
        const isLate = this.#late.manifests.includes(manifest);
        const next = isLate ? '; it will be loaded as soon as it is ready' : '';
        logger.error(`Ignoring error processing component: ${reason}${next}`);
        return;
      }
      throw new Error(`failed to load components: ${reason}`, { cause: error });
    });
  }

  /**
   * Applies a change of the folders: closes removed components, and initialises new and changed
   * ones. A component that fails, or whose file can't be read, stays as it is.
   *
   * @returns false if there was such a component
   */
  async reload(selection: ComponentSelection): Promise<boolean> {
    this.#sayBroken(selection);
    const served = this.#served.of(selection);
    this.#removeMissing(served);
    const { logger } = this.#options;
    const isWhole = await this.#reach(served, (manifest, error) => {
      const { name } = manifest;
      logger.error(`Failed to init component ${toLogName(manifest)}: ${toErrorMessage(error)}`);
      if (this.#running.has(name))
        logger.error(`The previous version of component ${name} stays in use`);
    });
    return isWhole && selection.broken.size === 0;
  }

  /** Stops all initialisation, now and from now on. */
  stopLoading(): void {
    this.#loading.abort();
    this.#late.close();
  }

  /** True if a component in use comes from this file. */
  isFrom(file: string): boolean {
    return [...this.#running.values()].some(({ manifest }) => manifest.file === file);
  }

  /** The names of the components in use. */
  get names(): readonly string[] {
    return [...this.#running.keys()];
  }

  /** Closes every store. After the grace period it does not wait for their calls. */
  async close(grace: AbortSignal): Promise<void> {
    this.stopLoading();
    for (const { manifest } of this.#running.values()) {
      this.#options.logger.info(`Shutting down component ${toLogName(manifest)}`);
    }
    await this.#open.closeAll(grace);
  }

  #sayBroken({ broken, manifests }: ComponentSelection): void {
    const wanted = manifests.map(({ name }) => name);
    const running = [...this.#running.values()].map(({ manifest }) => manifest);
    const sentences = [...broken].map(([file, problem]) => {
      const inFile = running.filter((manifest) => manifest.file === file);
      const kept = inFile.map(({ name }) => name).filter((name) => !wanted.includes(name));
      return kept.length === 0 ? problem : `${problem}; still in use: ${kept.join(', ')}`;
    });
    this.#broken.report(sentences, (sentence) => {
      this.#options.logger.error(sentence);
    });
  }

  #removeMissing({ manifests, broken }: ComponentSelection): void {
    const wanted = new Set(manifests.map(({ name }) => name));
    const isMissing = (manifest: ComponentManifest) =>
      !wanted.has(manifest.name) &&
      (!broken.has(manifest.file) || this.#options.isDenied(manifest));
    for (const { name } of this.#late.manifests.filter(isMissing)) this.#dropLate(name);
    const missing = [...this.#running.values()].filter(({ manifest }) => isMissing(manifest));
    for (const { manifest, lock } of missing) {
      const { name } = manifest;
      this.#options.logger.info(`Component removed: ${toLogName(manifest)}`);
      this.#running.delete(name);
      this.#options.stores.remove(name);
      this.#options.metadata.removeComponent(name);
      if (lock !== undefined) this.#open.retire(lock.store);
    }
  }

  /** Returns false if a component failed. Failures caused by a stop are not reported. */
  async #reach(
    { manifests, broken }: ComponentSelection,
    onFailure: (manifest: ComponentManifest, error: unknown) => void,
  ): Promise<boolean> {
    const secretStores = manifests.filter(({ type }) => isSecretStoreType(type));
    const others = manifests.filter(({ type }) => !isSecretStoreType(type));
    let isWhole = true;
    const previous = this.#secretStores;
    this.#secretStores = new Map([...previous].filter(([name]) => this.#isKept(name, broken)));
    for (const manifest of [...secretStores, ...others]) {
      try {
        await this.#follow(manifest);
      } catch (error) {
        isWhole = false;
        if (this.isStopping) return false;
        this.#report(manifest, error);
        const old = previous.get(manifest.name);
        if (old !== undefined) this.#secretStores.set(manifest.name, old);
        onFailure(manifest, error);
      }
    }
    return isWhole;
  }

  /** True for a component in use whose file can't be read now. */
  #isKept(name: string, broken: ComponentSelection['broken']): boolean {
    const running = this.#running.get(name);
    return running !== undefined && broken.has(running.manifest.file);
  }

  /** True after {@link ComponentManager.stopLoading}. */
  get isStopping(): boolean {
    return this.#loading.signal.aborted;
  }

  #report(manifest: ComponentManifest, error: unknown): void {
    this.#options.observe(manifest, error instanceof ComponentError ? error.step : 'init');
  }

  /** Makes a component match its manifest. */
  async #follow(manifest: ComponentManifest): Promise<void> {
    if (toComponentKind(manifest.type) === 'unknown') {
      const cause = new Error(`incorrect type ${manifest.type}`);
      throw new ComponentError(cause.message, { step: 'creation', cause });
    }
    const resolved = this.#resolve(manifest);
    const { name, type, version } = manifest;
    const fingerprint = `${type}/${version} ${resolved.fingerprint}`;
    const late = this.#late.find(name);
    const toPrefix = () => toKeyPrefix(manifest, resolved.properties, this.#options.appId);
    // Unchanged since it was found to be late.
    if (late?.fingerprint === fingerprint && late.lock.keyPrefix.text === toPrefix().text) return;
    this.#dropLate(name);
    const before = this.#running.get(name);
    const known = before?.fingerprint === fingerprint ? before : undefined;
    let lock: LockComponent | undefined;
    if (isSecretStoreType(type)) this.#loadSecretStore(manifest, resolved);
    else lock = await this.#loadLockStore(manifest, resolved, { fingerprint, known });
    this.#running.set(name, { manifest, fingerprint, lock });
    if (known !== undefined && lock?.keyPrefix.text === known.lock?.keyPrefix.text) return;
    this.#publish(manifest, before);
  }

  #resolve(manifest: ComponentManifest): ResolvedProperties {
    const { environment, appId } = this.#options;
    try {
      return resolveProperties(manifest, { secretStores: this.#secretStores, environment, appId });
    } catch (error) {
      throw initFailure(manifest, initFailure(manifest, error));
    }
  }

  #loadSecretStore(manifest: ComponentManifest, { properties, redact }: ResolvedProperties): void {
    try {
      const store = createSecretStore(manifest.type, properties, this.#options.environment);
      this.#secretStores.set(manifest.name, store);
    } catch (error) {
      throw initFailure(manifest, redactError(error, redact));
    }
  }

  /** Keeps the store if only its key prefix changed. Otherwise opens a new one. */
  async #loadLockStore(
    manifest: ComponentManifest,
    { properties, redact }: ResolvedProperties,
    { fingerprint, known }: { readonly fingerprint: string; readonly known: Running | undefined },
  ): Promise<LockComponent> {
    const keyPrefix = toKeyPrefix(manifest, properties, this.#options.appId);
    if (known?.lock !== undefined) return { store: known.lock.store, keyPrefix };
    if (this.isStopping) throw initFailure(manifest, new Error('the sidecar is stopping'));
    const logger = createRedactedLogger(this.#options.logger, redact);
    const create = () => this.#options.createStore(manifest, { properties, logger, redact });
    const store = createLockStore(manifest, { create, redact });
    this.#open.add(store);
    try {
      await initLockStore(manifest, store, { signal: this.#loading.signal, redact });
    } catch (error) {
      const isLate = manifest.ignoreErrors && error instanceof ComponentError && error.isPassing;
      const late = { manifest, fingerprint, lock: { store, keyPrefix }, redact };
      if (isLate && !this.#loading.signal.aborted) this.#late.add(late);
      else await this.#open.discard(store);
      throw error;
    }
    return { store, keyPrefix };
  }

  /** Starts to use a component that became ready late. */
  #take({ manifest, fingerprint, lock }: LateComponent): void {
    const before = this.#running.get(manifest.name);
    this.#running.set(manifest.name, { manifest, fingerprint, lock });
    this.#publish(manifest, before);
  }

  #dropLate(name: string): void {
    const late = this.#late.drop(name);
    if (late !== undefined) void this.#open.discard(late.lock.store);
  }

  /** Makes the new component available to clients, and releases the one before. */
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
      this.#open.retire(before.lock.store);
    }
  }
}
