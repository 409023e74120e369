/**
 * Whether the sidecar has started. As in daprd, health is about what has to come up at start;
 * it never asks the lock stores: an orchestrator would restart every sidecar when Redis is away.
 */
export class Health {
  readonly #unready: Set<string>;
  #outboundReady = false;

  /** @param targets what has to be ready before the sidecar is, by the names that daprd prints */
  constructor(targets: readonly string[]) {
    this.#unready = new Set(targets);
  }

  /** Marks one of the constructor's targets as ready. */
  markReady(target: string): void {
    this.#unready.delete(target);
  }

  /** The targets that are not ready yet; empty once the sidecar has started. */
  get unreadyTargets(): readonly string[] {
    return [...this.#unready];
  }

  /** Marks the APIs as usable, which SDKs wait for by `/v1.0/healthz/outbound`. */
  markOutboundReady(): void {
    this.#outboundReady = true;
  }

  /** True once the APIs can be used; daprd turns this before it waits for the app's port. */
  get outboundReady(): boolean {
    return this.#outboundReady;
  }
}
