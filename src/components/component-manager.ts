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
  /** Aborts when nothing is initialised any more. */
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
   * Initialises the components of a start, one after another as daprd does, secret stores first.
   *
   * @throws {Error} in daprd's words for the first that fails, unless it says ignoreErrors
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
        const next = isLate ? '; it is waited for and loaded as soon as it is ready' : '';
        logger.error(`Ignoring error processing component: ${reason}${next}`);
        return;
      }
      throw new Error(`failed to load components: ${reason}`, { cause: error });
    });
  }

  /**
   * Follows a change of the folders: what is gone is closed, what is new or changed is initialised.
   * What fails, or stands in a file that can't be read now, stays as it was.
   *
   * @returns false where there was anything of that
   */
  async reload(selection: ComponentSelection): Promise<boolean> {
    this.#sayBroken(selection);
    const served = this.#served.of(selection);
    this.#removeMissing(served);
    const { logger } = this.#options;
    const isWhole = await this.#reach(served, (manifest, error) => {
      const { name } = manifest;
      logger.error(`Failed to init component ${toLogName(manifest)}: ${toErrorMessage(error)}`);
      if (this.#running.has(name)) logger.error(`Component ${name} stays as it was before`);
    });
    return isWhole && selection.broken.size === 0;
  }

  /** Ends what is being initialised; nothing is from now on. */
  stopLoading(): void {
    this.#loading.abort();
    this.#late.close();
  }

  /** True where a component that is in use stands in a file. */
  isFrom(file: string): boolean {
    return [...this.#running.values()].some(({ manifest }) => manifest.file === file);
  }

  /** The names of those that are in use. */
  get names(): readonly string[] {
    return [...this.#running.keys()];
  }

  /** Closes every store; once the grace is over without waiting for its calls. */
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

  /** False where anything failed; what a stop cuts short fails for that reason only. */
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

  /** True for a component that is in use though its file can't be read now. */
  #isKept(name: string, broken: ComponentSelection['broken']): boolean {
    const running = this.#running.get(name);
    return running !== undefined && broken.has(running.manifest.file);
  }

  /** True once nothing is initialised any more. */
  get isStopping(): boolean {
    return this.#loading.signal.aborted;
  }

  #report(manifest: ComponentManifest, error: unknown): void {
    this.#options.observe(manifest, error instanceof ComponentError ? error.step : 'init');
  }

  /** Makes a component what its manifest says. */
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
    // Nothing has changed since it was found to be late.
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

  /** The store as it is where only its keys change, a new one that is ready otherwise. */
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

  /** Takes on a component that has come to be ready. */
  #take({ manifest, fingerprint, lock }: LateComponent): void {
    const before = this.#running.get(manifest.name);
    this.#running.set(manifest.name, { manifest, fingerprint, lock });
    this.#publish(manifest, before);
  }

  #dropLate(name: string): void {
    const late = this.#late.drop(name);
    if (late !== undefined) void this.#open.discard(late.lock.store);
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
      this.#open.retire(before.lock.store);
    }
  }
}
