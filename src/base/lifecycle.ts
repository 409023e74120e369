import { race } from './race';

/**
 * Gives a resource back; rejects only where that failed.
 *
 * @param grace once it is aborted nothing is waited for any more
 */
export type Closer = (grace: AbortSignal) => Promise<void>;

/**
 * Owns what was opened. Whoever opens something registers its closer at once, so that a start-up
 * that fails half way gives back what it had; closing runs the list backwards.
 */
export class Lifecycle {
  readonly #closers: { readonly name: string; readonly close: Closer }[] = [];
  #closing: Promise<void> | undefined;

  /** Registers the closer of what was just opened; the name is for the error's text. */
  add(name: string, close: Closer): void {
    this.#closers.push({ name, close });
  }

  /**
   * Closes everything, last opened first; a second call waits for the first. A closer that fails
   * does not keep the others from running, and neither does one that is slow: once the grace is
   * over the next is called without waiting for it.
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
