import { pauseWithin } from '../base/race';
import { StoreError } from '../lock/lock-store';
import type { LockComponent } from './init-lock-store';
import type { ComponentManifest } from './manifest';
import type { Redact } from './redaction';

/** A lock component with `ignoreErrors` whose server is away. */
export interface LateComponent {
  readonly manifest: ComponentManifest;
  readonly fingerprint: string;
  readonly lock: LockComponent;
  /** Applied to messages about the store's failure. */
  readonly redact: Redact;
}

/** Called with the result of the wait. */
export interface LateOutcome {
  readonly onReady: (component: LateComponent) => void;
  /** It can't become ready without a change. */
  readonly onFailed: (component: LateComponent, error: unknown) => void;
}

/** Pause before a store that gave up is opened again, in milliseconds. */
const PAUSE_MS = 1000;

/**
 * The components whose servers are away at start. Each is opened until it is ready or dropped. How
 * often the server is tried is decided by the store.
 */
export class LateComponents {
  readonly #outcome: LateOutcome;
  readonly #waiting = new Map<string, { component: LateComponent; end: AbortController }>();

  constructor(outcome: LateOutcome) {
    this.#outcome = outcome;
  }

  /** Starts to wait for a component. */
  add(component: LateComponent): void {
    const end = new AbortController();
    this.#waiting.set(component.manifest.name, { component, end });
    void this.#wait(component, end.signal);
  }

  /** The waiting component with this name. */
  find(name: string): LateComponent | undefined {
    return this.#waiting.get(name)?.component;
  }

  /** The waiting components. */
  get manifests(): readonly ComponentManifest[] {
    return [...this.#waiting.values()].map(({ component }) => component.manifest);
  }

  /** Stops waiting for a component and returns it. The caller must close its store. */
  drop(name: string): LateComponent | undefined {
    const waiting = this.#waiting.get(name);
    this.#waiting.delete(name);
    waiting?.end.abort();
    return waiting?.component;
  }

  /** Stops all waiting. */
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
