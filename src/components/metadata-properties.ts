/** Replaces a secret value in a message. */
export const HIDDEN = '<secret>';

/**
 * The `spec.metadata` of a component: names and text values (in daprd, too, drivers get only text).
 * Names are matched without regard to case.
 */
export class MetadataProperties {
  readonly #values = new Map<string, { readonly name: string; readonly value: string }>();

  readonly #hidden: ReadonlySet<string>;

  /**
   * @param entries names and values in file order; of names that differ only in case, the last one
   *   wins
   * @param hidden names of the properties whose values no message may contain
   */
  constructor(
    entries: Iterable<readonly [name: string, value: string]>,
    hidden: readonly string[] = [],
  ) {
    for (const [name, value] of entries) this.#values.set(name.toLowerCase(), { name, value });
    this.#hidden = new Set(hidden.map((name) => name.toLowerCase()));
  }

  /** The value of a property. Undefined if the component does not have it. */
  get(name: string): string | undefined {
    return this.#values.get(name.toLowerCase())?.value;
  }

  /**
   * The text to show in a message for a property's value: the given text, or {@link HIDDEN}. The
   * caller knows whose value it quotes, while a later search in the message might find other words.
   */
  show(name: string, text: string): string {
    return this.#hidden.has(name.toLowerCase()) ? HIDDEN : text;
  }

  /** The names as written in the file. */
  get names(): readonly string[] {
    return [...this.#values.values()].map(({ name }) => name);
  }
}
