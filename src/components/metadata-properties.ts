/** What stands in a message where a value may not. */
export const HIDDEN = '<secret>';

/**
 * The `spec.metadata` of a component: names to text values, typed as daprd types them (every
 * value is text by the time a driver reads it). Names are matched without regard to case.
 */
export class MetadataProperties {
  readonly #values = new Map<string, { readonly name: string; readonly value: string }>();

  readonly #hidden: ReadonlySet<string>;

  /**
   * @param entries name and value in file order; of two names that differ in case only the last wins
   * @param hidden the names of those whose values no message may quote
   */
  constructor(
    entries: Iterable<readonly [name: string, value: string]>,
    hidden: readonly string[] = [],
  ) {
    for (const [name, value] of entries) this.#values.set(name.toLowerCase(), { name, value });
    this.#hidden = new Set(hidden.map((name) => name.toLowerCase()));
  }

  /** The value of a property, undefined where the component does not have it. */
  get(name: string): string | undefined {
    return this.#values.get(name.toLowerCase())?.value;
  }

  /**
   * What a message may quote of a property's value: the text given, or that it is hidden. Whoever
   * quotes a value knows whose it is, while a search for it in the message finds other words too.
   */
  show(name: string, text: string): string {
    return this.#hidden.has(name.toLowerCase()) ? HIDDEN : text;
  }

  /** The names as they are written in the file. */
  get names(): readonly string[] {
    return [...this.#values.values()].map(({ name }) => name);
  }
}
