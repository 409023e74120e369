import { pauseWithin } from '../base/race';
import type { LockKeyPrefix } from '../lock/lock-key';
import { type LockStore, StoreError } from '../lock/lock-store';
import type { ComponentManifest } from './manifest';
import type { Redact } from './redaction';

/** A lock component whose server is away, and which may fail (`ignoreErrors`). */
export interface LateComponent {
  readonly manifest: ComponentManifest;
  readonly fingerprint: string;
  readonly lock: { readonly store: LockStore; readonly keyPrefix: LockKeyPrefix };
  /** What is said of its store's failure goes through it. */
  readonly redact: Redact;
}

/** What becomes of one in the end. */
export interface LateOutcome {
  readonly onReady: (component: LateComponent) => void;
  /** It can't become ready without a change any more. */
  readonly onFailed: (component: LateComponent, error: unknown) => void;
}

/** Before a store is opened again that gave up by itself, in milliseconds. */
const PAUSE_MS = 1000;

/**
 * The components that are waited for beside the running sidecar: each is opened until it is ready,
 * or until it is dropped. How often its server is tried in that time is the store's own matter.
 */
export class LateComponents {
  readonly #outcome: LateOutcome;
  readonly #waiting = new Map<string, { component: LateComponent; end: AbortController }>();

  constructor(outcome: LateOutcome) {
    this.#outcome = outcome;
  }

  /** Waits for a component from now on. */
  add(component: LateComponent): void {
    const end = new AbortController();
    this.#waiting.set(component.manifest.name, { component, end });
    void this.#wait(component, end.signal);
  }

  /** The component of a name that is waited for. */
  find(name: string): LateComponent | undefined {
    return this.#waiting.get(name)?.component;
  }

  /** The components that are waited for. */
  get manifests(): readonly ComponentManifest[] {
    return [...this.#waiting.values()].map(({ component }) => component.manifest);
  }

  /** Ends the wait for a component; gives it back, as its store is to be closed. */
  drop(name: string): LateComponent | undefined {
    const waiting = this.#waiting.get(name);
    this.#waiting.delete(name);
    waiting?.end.abort();
    return waiting?.component;
  }

  /** Ends every wait. */
  close(): void {
    for (const name of [...this.#waiting.keys()]) this.drop(name);
  }

  async #wait(component: LateComponent, signal: AbortSignal): Promise<void> {
    const { name } = component.manifest;
    const isDropped = (): boolean => signal.aborted;
    while (!isDropped()) {
      try {
        await component.lock.store.init(signal);
        if (isDropped()) return;
        this.#waiting.delete(name);
        this.#outcome.onReady(component);
        return;
      } catch (error) {
        if (isDropped()) return;
        if (!(error instanceof StoreError) || error.kind === 'rejected') {
          this.#waiting.delete(name);
          this.#outcome.onFailed(component, error);
          return;
        }
      }
      await pauseWithin({ afterMs: PAUSE_MS, signals: [signal] });
    }
  }
}
