import { race } from './race';

/**
 * Closes a resource. Rejects only if closing failed.
 *
 * @param grace once it is aborted, nothing waits for the closer any more
 */
export type Closer = (grace: AbortSignal) => Promise<void>;

/**
 * Owns the open resources of the process. Register the closer of a resource as soon as it is open,
 * so that a failed start closes everything that it had opened. Resources are closed in reverse
 * order.
 */
export class Lifecycle {
  readonly #closers: { readonly name: string; readonly close: Closer }[] = [];
  #closing: Promise<void> | undefined;

  /** Registers the closer of a resource. The name appears in error messages. */
  add(name: string, close: Closer): void {
    this.#closers.push({ name, close });
  }

  /**
   * Closes everything, in reverse order of opening. A second call waits for the first. The other
   * closers run even if one fails or is slow: once the grace period is over, nothing waits for a
   * closer.
   *
   * @throws {AggregateError} naming every closer that failed
   */
  close(grace: AbortSignal): Promise<void> {
    this.#closing ??= this.#closeAll(grace);
    return this.#closing;
  }

  async #closeAll(grace: AbortSignal): Promise<void> {
    const failures: Error[] = [];
    for (const { name, close } of this.#closers.splice(0).reverse()) {
      try {
        await race(close(grace), { signals: [grace] }, () => undefined);
      } catch (cause) {
        failures.push(new Error(`closing ${name} failed`, { cause }));
      }
    }
    if (failures.length > 0) {
      throw new AggregateError(failures, failures.map(({ message }) => message).join('; '));
    }
  }
}
