import { toErrorMessage } from '../base/error-message';
import { ReportedProblems } from '../manifests/reported-problems';
import type { SidecarMetadata } from '../sidecar/metadata';
import { toComponentKind } from './component-kinds';
import {
  ComponentError,
  type FailedStep,
  initFailure,
  type LockComponent,
} from './init-lock-store';
import type { LateComponent } from './late-components';
import { LockComponents, type LockComponentsOptions } from './lock-components';
import { type ComponentManifest, toLogName } from './manifest';
import { type ResolvedProperties, resolveProperties } from './resolve-properties';
import { LoadedSecretStores } from './secrets/loaded-secret-stores';
import { isSecretStoreType, type SecretSources } from './secrets/secret-stores';
import type { ComponentSelection } from './select-components';
import { ServedComponents } from './served-components';

/** Called after every init of a component; metrics use it. Must not throw. */
export type ComponentObserver = (
  component: Pick<ComponentManifest, 'name' | 'type'>,
  failedAt: FailedStep | undefined,
) => void;

/** The dependencies of a {@link ComponentManager}. */
export interface ComponentManagerOptions extends LockComponentsOptions, SecretSources {
  /** The secret store of components that name none. Undefined if they can't have secrets. */
  readonly defaultSecretStore?: string | undefined;
  /** True if the configuration denies a component (`components.deny`). */
  readonly isDenied: (component: Pick<ComponentManifest, 'type' | 'version'>) => boolean;
  readonly observe: ComponentObserver;
  readonly metadata: SidecarMetadata;
}

/** An initialised component. */
interface Running {
  readonly manifest: ComponentManifest;
  readonly fingerprint: string;
  /** Undefined for a secret store. Secret stores are read again every time. */
  readonly lock: LockComponent | undefined;
}

/**
 * The components of a sidecar. It makes them match the resource folders, at start and after every
 * change. A store that is replaced stays open until its successor is ready and its last call has
 * ended.
 */
export class ComponentManager {
  readonly #options: ComponentManagerOptions;
  readonly #running = new Map<string, Running>();
  readonly #locks: LockComponents;
  readonly #secretStores: LoadedSecretStores;
  readonly #served: ServedComponents;
  readonly #broken = new ReportedProblems();

  constructor(options: ComponentManagerOptions) {
    this.#options = options;
    this.#locks = new LockComponents(options, {
      onReady: (component) => {
        this.#take(component);
      },
      onFailed: (manifest, error) => {
        this.#report(manifest, error);
        options.logger.error(`Ignoring error processing component: ${error.message}`);
      },
    });
    this.#secretStores = new LoadedSecretStores(options);
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
        const isLate = this.#locks.late.includes(manifest);
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
    this.#locks.stopLoading();
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
    await this.#locks.closeAll(grace);
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
    for (const { name } of this.#locks.late.filter(isMissing)) this.#locks.dropLate(name);
    const missing = [...this.#running.values()].filter(({ manifest }) => isMissing(manifest));
    for (const { manifest, lock } of missing) {
      const { name } = manifest;
      this.#options.logger.info(`Component removed: ${toLogName(manifest)}`);
      this.#running.delete(name);
      this.#options.stores.remove(name);
      this.#options.metadata.removeComponent(name);
      if (lock !== undefined) this.#locks.retire(lock.store);
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
    this.#secretStores.beginReload((name) => this.#isKept(name, broken));
    for (const manifest of [...secretStores, ...others]) {
      try {
        await this.#follow(manifest);
      } catch (error) {
        isWhole = false;
        if (this.isStopping) return false;
        this.#report(manifest, error);
        this.#secretStores.restore(manifest.name);
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
    return this.#locks.isStopping;
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
    const resolved = await this.#resolve(manifest);
    const { name, type, version } = manifest;
    const fingerprint = `${type}/${version} ${resolved.fingerprint}`;
    if (this.#locks.isWaiting(manifest, resolved, fingerprint)) return;
    this.#locks.dropLate(name);
    const before = this.#running.get(name);
    const known = before?.fingerprint === fingerprint ? before : undefined;
    let lock: LockComponent | undefined;
    if (isSecretStoreType(type)) this.#secretStores.load(manifest, resolved);
    else lock = await this.#locks.load(manifest, resolved, { fingerprint, known: known?.lock });
    this.#running.set(name, { manifest, fingerprint, lock });
    if (known !== undefined && lock?.keyPrefix.text === known.lock?.keyPrefix.text) return;
    this.#publish(manifest, before);
  }

  async #resolve(manifest: ComponentManifest): Promise<ResolvedProperties> {
    const { environment, appId, defaultSecretStore } = this.#options;
    const secretStores = this.#secretStores.byName;
    try {
      const context = { secretStores, defaultSecretStore, environment, appId };
      return await resolveProperties(manifest, context);
    } catch (error) {
      throw initFailure(manifest, initFailure(manifest, error));
    }
  }

  /** Starts to use a component that became ready late. */
  #take({ manifest, fingerprint, lock }: LateComponent): void {
    const before = this.#running.get(manifest.name);
    this.#running.set(manifest.name, { manifest, fingerprint, lock });
    this.#publish(manifest, before);
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
      this.#locks.retire(before.lock.store);
    }
  }
}
