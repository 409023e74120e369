import { setTimeout as pause } from 'node:timers/promises';

import { toErrorMessage } from '../lock/error-message';
import { createLockKeyPrefix, type LockKeyPrefix } from '../lock/lock-key';
import type { LockStore } from '../lock/lock-store';
import type { Logger } from '../lock/logger';
import type { StoreCatalog } from '../lock/store-catalog';
import type { SidecarMetadata } from '../sidecar/metadata';
import { toComponentKind } from './component-kinds';
import { type ComponentManifest, toLogName } from './manifest';

/** What initialising components needs of the rooms around it. */
export interface InitOptions {
  readonly appId: string;
  /**
   * Makes the store of a lock component; undefined where its type or version is unknown. Throws
   * where the component's metadata is wrong.
   */
  readonly createStore: (manifest: ComponentManifest) => LockStore | undefined;
  /** Takes over a store that was made, before anything is opened by it. */
  readonly own: (name: string, close: (grace: AbortSignal) => Promise<void>) => void;
  readonly stores: StoreCatalog;
  readonly metadata: SidecarMetadata;
  readonly logger: Logger;
}

/**
 * Initialises components one after another, as daprd does, and publishes each lock store once it
 * is ready and its keys are known to be sound.
 *
 * @throws {Error} in daprd's words for the first that fails, unless it says ignoreErrors
 */
export async function initComponents(
  manifests: readonly ComponentManifest[],
  options: InitOptions,
): Promise<void> {
  for (const manifest of manifests) await processComponent(manifest, options);
}

async function processComponent(manifest: ComponentManifest, options: InitOptions): Promise<void> {
  const { logger } = options;
  const logName = toLogName(manifest);
  const kind = toComponentKind(manifest.type);
  if (kind === 'other-building-block') {
    logger.warn(`Component ${logName} belongs to a building block that is not served; ignored`);
    return;
  }
  try {
    if (kind === 'unknown') throw new Error(`incorrect type ${manifest.type}`);
    await initLockStore(manifest, options);
    logger.info(`Component loaded: ${logName}`);
  } catch (error) {
    handleFailure(manifest, error, logger);
  }
}

/** Says what failed in daprd's words, and throws unless the component says ignoreErrors. */
function handleFailure(manifest: ComponentManifest, error: unknown, logger: Logger): void {
  const reason = `process component ${manifest.name} error: ${toErrorMessage(error)}`;
  logger.error(`Failed to init component ${toLogName(manifest)}: ${toErrorMessage(error)}`);
  if (manifest.ignoreErrors) {
    logger.error(`Ignoring error processing component: ${reason}`);
    return;
  }
  logger.warn(`Error processing component, daprd will exit gracefully: ${reason}`);
  throw new Error(`failed to load components: ${reason}`, { cause: error });
}

async function initLockStore(manifest: ComponentManifest, options: InitOptions): Promise<void> {
  const { name, type, version } = manifest;
  const { keyPrefix, store } = prepare(manifest, options);
  options.own(`component ${name}`, (grace) => store.close(grace));
  try {
    await initWithin(store, manifest);
  } catch (error) {
    await store.close();
    throw initFailure(manifest, initFailure(manifest, error));
  }
  options.stores.add({ name, store, keyPrefix });
  options.metadata.addComponent({ name, type, version });
}

/** Everything that can be wrong before the store is opened. */
function prepare(
  manifest: ComponentManifest,
  options: InitOptions,
): { readonly keyPrefix: LockKeyPrefix; readonly store: LockStore } {
  const keyPrefix = toKeyPrefix(manifest, options.appId);
  const store = createStore(manifest, options);
  if (store !== undefined) return { keyPrefix, store };
  const type = manifest.version === '' ? manifest.type : `${manifest.type}/${manifest.version}`;
  const reason = new Error(`couldn't find lock store ${type}`);
  throw initFailure(manifest, creationFailure(manifest, reason));
}

function createStore(manifest: ComponentManifest, options: InitOptions): LockStore | undefined {
  try {
    if (manifest.obstacles.length > 0) throw new Error(manifest.obstacles.join('; '));
    return options.createStore(manifest);
  } catch (error) {
    throw initFailure(manifest, initFailure(manifest, error));
  }
}

function toKeyPrefix(manifest: ComponentManifest, appId: string): LockKeyPrefix {
  try {
    const keyPrefix = manifest.metadata.get('keyPrefix');
    return createLockKeyPrefix({ keyPrefix, appId, componentName: manifest.name });
  } catch (error) {
    throw initFailure(manifest, failure('failed to save lock keyprefix', error));
  }
}

/** How long a store has to say why it failed, once its time is over. */
const OVERRUN_MS = 500;

/** Waits for a store's init no longer than the component allows, whatever the store does. */
async function initWithin(store: LockStore, manifest: ComponentManifest): Promise<void> {
  const [over, settled] = [new AbortController(), new AbortController()];
  const limit = pause(manifest.initTimeoutMs, undefined, { signal: settled.signal }).then(() => {
    over.abort();
    return pause(OVERRUN_MS, 'late', { signal: settled.signal });
  });
  try {
    const first = await Promise.race([store.init(over.signal), limit]);
    if (first === 'late') throw new Error(`init timeout for component ${toLogName(manifest)}`);
  } finally {
    settled.abort();
    await limit.catch(() => undefined);
  }
}

/** daprd wraps a failing init twice in this sentence, and a failing creation once more in it. */
function initFailure(manifest: ComponentManifest, cause: unknown): Error {
  return failure(`[INIT_COMPONENT_FAILURE]: ${occurredFor(manifest)}`, cause);
}

function creationFailure(manifest: ComponentManifest, cause: unknown): Error {
  return failure(`[CREATE_COMPONENT_FAILURE]: ${occurredFor(manifest)}`, cause);
}

function occurredFor(manifest: ComponentManifest): string {
  return `initialization error occurred for ${toLogName(manifest)}`;
}

function failure(what: string, cause: unknown): Error {
  return new Error(`${what}: ${toErrorMessage(cause)}`, { cause });
}
