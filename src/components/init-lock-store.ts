import { toErrorMessage } from '../base/error-message';
import { race, runWithin } from '../base/race';
import { createLockKeyPrefix, LockKeyError, type LockKeyPrefix } from '../lock/lock-key';
import { type LockStore, StoreError } from '../lock/lock-store';
import { type ComponentManifest, toLogName } from './manifest';
import type { MetadataProperties } from './metadata-properties';
import { type Redact, redactError } from './redaction';

/** At which step a component failed, in the words of daprd's metric. */
export type FailedStep = 'creation' | 'init';

/** A component that can't be used; the message is the sentence that daprd logs. */
export class ComponentError extends Error {
  override readonly name = 'ComponentError';
  readonly step: FailedStep;
  /** True where the store may come to be ready without anything being changed: its server is away. */
  readonly isPassing: boolean;

  constructor(
    message: string,
    options: { readonly step: FailedStep; readonly cause: unknown; readonly isPassing?: boolean },
  ) {
    super(message, { cause: options.cause });
    this.step = options.step;
    this.isPassing = options.isPassing ?? false;
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
  const keyPrefix = properties.get('keyPrefix');
  try {
    return createLockKeyPrefix({ keyPrefix, appId, componentName: manifest.name });
  } catch (error) {
    if (!(error instanceof LockKeyError)) throw error;
    // The sentence quotes the prefix.
    const shown = properties.show('keyPrefix', (keyPrefix ?? '').toLowerCase());
    const message = `failed to save lock keyprefix: ${new LockKeyError(shown).message}`;
    throw initFailure(manifest, new Error(message));
  }
}

/**
 * Makes a component's store; nothing is opened yet.
 *
 * @throws {ComponentError} where its type is unknown or its metadata is wrong
 */
export function createLockStore(
  manifest: ComponentManifest,
  { create, redact }: { readonly create: () => LockStore | undefined; readonly redact: Redact },
): LockStore {
  let store: LockStore | undefined;
  try {
    store = create();
  } catch (error) {
    throw initFailure(manifest, initFailure(manifest, redactError(error, redact)));
  }
  if (store !== undefined) return store;
  const type = manifest.version === '' ? manifest.type : `${manifest.type}/${manifest.version}`;
  const reason = new Error(`couldn't find lock store ${type}`);
  throw failure('creation', manifest, tagged('CREATE_COMPONENT_FAILURE', manifest, reason));
}

/** What stands around a store's init. */
export interface InitLimits {
  readonly signal: AbortSignal;
  /** The store's own words go through it; those around them are ours, and quote nothing. */
  readonly redact: Redact;
}

/**
 * Opens a component's store within its time. One that fails is not closed: it may be opened again.
 *
 * @param limits a signal that ends that time before, and what the store's reason goes through
 * @throws {ComponentError} with the store's reason
 */
export async function initLockStore(
  manifest: ComponentManifest,
  store: LockStore,
  limits: InitLimits,
): Promise<void> {
  let isPassing = false;
  const init = async (over: AbortSignal): Promise<void> => {
    try {
      await store.init(over);
    } catch (error) {
      isPassing = error instanceof StoreError && PASSING.includes(error.kind);
      throw redactError(error, limits.redact);
    }
  };
  try {
    await initWithin(init, manifest, limits.signal);
  } catch (error) {
    const { message } = initFailure(manifest, initFailure(manifest, error));
    throw new ComponentError(message, { step: 'init', cause: error, isPassing });
  }
}

/** What a store fails with whose server may come yet. */
const PASSING: readonly StoreError['kind'][] = ['unavailable', 'deadline'];

/** What daprd says of a component that failed at its init, whatever the reason. */
export function initFailure(manifest: ComponentManifest, cause: unknown): ComponentError {
  return cause instanceof ComponentError ? cause : failure('init', manifest, cause);
}

/** How long a store has to say why it failed, once its time is over. */
const OVERRUN_MS = 500;

/** Waits for a store's init no longer than the component allows, whatever the store does. */
function initWithin(
  init: (over: AbortSignal) => Promise<void>,
  manifest: ComponentManifest,
  signal: AbortSignal,
): Promise<void> {
  return runWithin({ afterMs: manifest.initTimeoutMs, signals: [signal] }, (over) => {
    const ready = init(over);
    const fail = (): never => {
      throw new Error(`init timeout for component ${toLogName(manifest)}`);
    };
    return race(ready, { signals: [over] }, () => race(ready, { afterMs: OVERRUN_MS }, fail));
  });
}

/** daprd wraps a failing init twice in this sentence; once says as much. A failing creation stands in it. */
function failure(step: FailedStep, manifest: ComponentManifest, cause: unknown): ComponentError {
  const { message } = tagged('INIT_COMPONENT_FAILURE', manifest, cause);
  return new ComponentError(message, { step, cause });
}

function tagged(tag: string, manifest: ComponentManifest, cause: unknown): Error {
  const occurred = `initialization error occurred for ${toLogName(manifest)}`;
  return new Error(`[${tag}]: ${occurred}: ${toErrorMessage(cause)}`, { cause });
}
