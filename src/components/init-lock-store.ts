import { toErrorMessage } from '../base/error-message';
import { race, runWithin } from '../base/race';
import { createLockKeyPrefix, LockKeyError, type LockKeyPrefix } from '../lock/lock-key';
import { type LockStore, StoreError } from '../lock/lock-store';
import { type ComponentManifest, toLogName } from './manifest';
import type { MetadataProperties } from './metadata-properties';
import { type Redact, redactError } from './redaction';

/** The store of a lock component, and the prefix of its keys. */
export interface LockComponent {
  readonly store: LockStore;
  readonly keyPrefix: LockKeyPrefix;
}

/** The step at which a component failed, as in daprd's metric. */
export type FailedStep = 'creation' | 'init';

/** A component failed. The message is the sentence that daprd logs. */
export class ComponentError extends Error {
  override readonly name = 'ComponentError';
  readonly step: FailedStep;
  /** True if the store may become ready without a change, because its server is away. */
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
 * Creates the key prefix of a component.
 *
 * @throws {ComponentError} if its keyPrefix is invalid
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
    // The message quotes the prefix.
    const shown = properties.show('keyPrefix', (keyPrefix ?? '').toLowerCase());
    const message = `failed to save lock keyprefix: ${new LockKeyError(shown).message}`;
    throw initFailure(manifest, new Error(message));
  }
}

/**
 * Creates a component's store without opening it.
 *
 * @throws {ComponentError} if its type is unknown or its metadata is invalid
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

/** The limits of a store's init. */
export interface InitLimits {
  readonly signal: AbortSignal;
  /** Applied to the store's own text. The text around it is ours and quotes nothing. */
  readonly redact: Redact;
}

/**
 * Opens a component's store within its time limit. A store that fails is not closed, because it may
 * be opened again.
 *
 * @param limits a signal that ends the init early, and the redaction of the store's text
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

/** The kinds of errors after which the server may still become available. */
const PASSING: readonly StoreError['kind'][] = ['unavailable', 'deadline'];

/** daprd's sentence for a component that failed at its init, for any reason. */
export function initFailure(manifest: ComponentManifest, cause: unknown): ComponentError {
  return cause instanceof ComponentError ? cause : failure('init', manifest, cause);
}

/** How long to wait for a store's reason after its time limit, in milliseconds. */
const OVERRUN_MS = 500;

/** Waits for a store's init within the component's limit, even if the store does not stop. */
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

/**
 * daprd repeats this sentence around a failing init. Once is enough. A failing creation is part of
 * it.
 */
function failure(step: FailedStep, manifest: ComponentManifest, cause: unknown): ComponentError {
  const { message } = tagged('INIT_COMPONENT_FAILURE', manifest, cause);
  return new ComponentError(message, { step, cause });
}

function tagged(tag: string, manifest: ComponentManifest, cause: unknown): Error {
  const occurred = `initialization error occurred for ${toLogName(manifest)}`;
  return new Error(`[${tag}]: ${occurred}: ${toErrorMessage(cause)}`, { cause });
}
