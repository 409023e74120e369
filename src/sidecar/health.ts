/**
 * Whether the sidecar has started. As in daprd, health covers only what must be ready at start. It
 * does not check the lock stores: otherwise an orchestrator would restart every sidecar while Redis
 * is away.
 */
export class Health {
  readonly #unready: Set<string>;
  #outboundReady = false;

  /** @param targets what must be ready before the sidecar is, with the names that daprd prints */
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

  /** Marks the APIs as usable. SDKs wait for that with `/v1.0/healthz/outbound`. */
  markOutboundReady(): void {
    this.#outboundReady = true;
  }

  /** True once the APIs can be used. In daprd, this comes before the wait for the app's port. */
  get outboundReady(): boolean {
    return this.#outboundReady;
  }
}
