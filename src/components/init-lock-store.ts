import { setTimeout as pause } from 'node:timers/promises';

import { toErrorMessage } from '../lock/error-message';
import { createLockKeyPrefix, type LockKeyPrefix } from '../lock/lock-key';
import type { LockStore } from '../lock/lock-store';
import { type ComponentManifest, toLogName } from './manifest';
import type { MetadataProperties } from './metadata-properties';
import type { Redact } from './redaction';

/** At which step a component failed, in the words of daprd's metric. */
export type FailedStep = 'creation' | 'init';

/** A component that can't be used; the message is the sentence that daprd logs. */
export class ComponentError extends Error {
  override readonly name = 'ComponentError';
  readonly step: FailedStep;

  constructor(message: string, options: { readonly step: FailedStep; readonly cause: unknown }) {
    super(message, { cause: options.cause });
    this.step = options.step;
  }
}

/**
 * The prefix of a component's keys.
 *
 * @throws {ComponentError} where its keyPrefix can't be one
 */
export function toKeyPrefix(
  manifest: ComponentManifest,
  properties: MetadataProperties,
  appId: string,
): LockKeyPrefix {
  try {
    const keyPrefix = properties.get('keyPrefix');
    return createLockKeyPrefix({ keyPrefix, appId, componentName: manifest.name });
  } catch (error) {
    const message = `failed to save lock keyprefix: ${toErrorMessage(error)}`;
    throw initFailure(manifest, new Error(message, { cause: error }));
  }
}

/**
 * Makes a component's store; nothing is opened yet.
 *
 * @throws {ComponentError} where its type is unknown or its metadata is wrong
 */
export function createLockStore(
  manifest: ComponentManifest,
  create: () => LockStore | undefined,
): LockStore {
  let store: LockStore | undefined;
  try {
    store = create();
  } catch (error) {
    throw initFailure(manifest, initFailure(manifest, error));
  }
  if (store !== undefined) return store;
  const type = manifest.version === '' ? manifest.type : `${manifest.type}/${manifest.version}`;
  const reason = new Error(`couldn't find lock store ${type}`);
  throw failure('creation', manifest, tagged('CREATE_COMPONENT_FAILURE', manifest, reason));
}

/**
 * Opens a component's store within its time; one that fails is closed.
 *
 * @param signal ends that time before
 * @throws {ComponentError} with the store's reason
 */
export async function initLockStore(
  manifest: ComponentManifest,
  store: LockStore,
  signal: AbortSignal,
): Promise<void> {
  try {
    await initWithin(store, manifest, signal);
  } catch (error) {
    await store.close();
    throw initFailure(manifest, initFailure(manifest, error));
  }
}

/** What daprd says of a component that failed at its init, whatever the reason. */
export function initFailure(manifest: ComponentManifest, cause: unknown): ComponentError {
  return failure('init', manifest, cause);
}

/** How long a store has to say why it failed, once its time is over. */
const OVERRUN_MS = 500;

/** Waits for a store's init no longer than the component allows, whatever the store does. */
async function initWithin(
  store: LockStore,
  manifest: ComponentManifest,
  signal: AbortSignal,
): Promise<void> {
  const [over, settled] = [new AbortController(), new AbortController()];
  const ended = AbortSignal.any([signal, settled.signal]);
  const limit = pause(manifest.initTimeoutMs, undefined, { signal: ended })
    .catch(() => undefined)
    .then(() => {
      settled.signal.throwIfAborted();
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
function failure(step: FailedStep, manifest: ComponentManifest, cause: unknown): ComponentError {
  const { message } = tagged('INIT_COMPONENT_FAILURE', manifest, cause);
  return new ComponentError(message, { step, cause });
}

function tagged(tag: string, manifest: ComponentManifest, cause: unknown): Error {
  const occurred = `initialization error occurred for ${toLogName(manifest)}`;
  return new Error(`[${tag}]: ${occurred}: ${toErrorMessage(cause)}`, { cause });
}

/**
 * An error that quotes no secret: a store's message may quote what it can't use. The component's own
 * name stands in its file, and stays.
 */
export function withoutSecrets(
  error: unknown,
  { manifest, redact }: { readonly manifest: ComponentManifest; readonly redact: Redact },
): ComponentError {
  const name = toLogName(manifest);
  const message = toErrorMessage(error).split(name).map(redact).join(name);
  const step = error instanceof ComponentError ? error.step : 'init';
  // What caused it quotes the same, and is in the message already.
  return new ComponentError(message, { step, cause: undefined });
}
