import type { Logger } from '../base/logger';
import type { LockStore } from '../lock/lock-store';
import type { StoreCatalog } from '../lock/store-catalog';
import {
  ComponentError,
  createLockStore,
  initFailure,
  initLockStore,
  type LockComponent,
  toKeyPrefix,
} from './init-lock-store';
import { type LateComponent, LateComponents } from './late-components';
import type { ComponentManifest } from './manifest';
import type { MetadataProperties } from './metadata-properties';
import { OpenStores } from './open-stores';
import { createRedactedLogger, type Redact, redactError } from './redaction';
import type { ResolvedProperties } from './resolve-properties';

/** The dependencies of {@link LockComponents}. */
export interface LockComponentsOptions {
  readonly appId: string;
  /**
   * Creates the store of a lock component. Undefined if its type or version is unknown. Throws if
   * its metadata is invalid. The logger hides the component's secrets.
   */
  readonly createStore: (
    manifest: ComponentManifest,
    context: {
      readonly properties: MetadataProperties;
      readonly logger: Logger;
      /** Hides the component's secrets in messages about its store. */
      readonly redact: Redact;
    },
  ) => LockStore | undefined;
  readonly stores: StoreCatalog;
  readonly logger: Logger;
}

/** Called when the wait for a late component has ended. */
export interface LateResult {
  readonly onReady: (component: LateComponent) => void;
  /** It can't become ready without a change. */
  readonly onFailed: (manifest: ComponentManifest, error: ComponentError) => void;
}

/** Opens and closes the lock stores of components, and waits for those whose server is away. */
export class LockComponents {
  readonly #options: LockComponentsOptions;
  readonly #open: OpenStores;
  readonly #late: LateComponents;
  /** Aborts when no more stores may be opened. */
  readonly #loading = new AbortController();

  constructor(options: LockComponentsOptions, { onReady, onFailed }: LateResult) {
    this.#options = options;
    this.#open = new OpenStores(options.stores);
    this.#late = new LateComponents({
      onReady,
      onFailed: ({ manifest, lock, redact }, cause) => {
        onFailed(manifest, initFailure(manifest, redactError(cause, redact)));
        void this.#open.discard(lock.store);
      },
    });
  }

  /** The components whose server is away. */
  get late(): readonly ComponentManifest[] {
    return this.#late.manifests;
  }

  /** True if this unchanged component waits for its server. */
  isWaiting(
    manifest: ComponentManifest,
    { properties }: ResolvedProperties,
    fingerprint: string,
  ): boolean {
    const late = this.#late.find(manifest.name);
    if (late?.fingerprint !== fingerprint) return false;
    const { text } = toKeyPrefix(manifest, properties, this.#options.appId);
    return late.lock.keyPrefix.text === text;
  }

  /** Stops waiting for a component's server. */
  dropLate(name: string): void {
    const late = this.#late.drop(name);
    if (late !== undefined) void this.#open.discard(late.lock.store);
  }

  /**
   * Loads a component. Keeps its store if only its key prefix changed. Otherwise opens a new one.
   *
   * @param known the component in use, if it differs at most in its key prefix
   * @throws {ComponentError} with the reason
   */
  async load(
    manifest: ComponentManifest,
    { properties, redact }: ResolvedProperties,
    {
      fingerprint,
      known,
    }: { readonly fingerprint: string; readonly known: LockComponent | undefined },
  ): Promise<LockComponent> {
    const keyPrefix = toKeyPrefix(manifest, properties, this.#options.appId);
    if (known !== undefined) return { store: known.store, keyPrefix };
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

  /** Closes a store that calls can no longer find, after the calls that found it have ended. */
  retire(store: LockStore): void {
    this.#open.retire(store);
  }

  /** Stops opening stores, now and from now on. */
  stopLoading(): void {
    this.#loading.abort();
    this.#late.close();
  }

  /** True after {@link LockComponents.stopLoading}. */
  get isStopping(): boolean {
    return this.#loading.signal.aborted;
  }

  /** Closes all stores. After the grace period it does not wait for their calls. */
  async closeAll(grace: AbortSignal): Promise<void> {
    await this.#open.closeAll(grace);
  }
}
