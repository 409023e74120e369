/**
 * The `spec.metadata` of a component: names to text values, typed as daprd types them (every
 * value is text by the time a driver reads it). Names are matched without regard to case.
 */
export class MetadataProperties {
  readonly #values = new Map<string, { readonly name: string; readonly value: string }>();

  /** @param entries name and value in file order; of two names that differ in case only the last wins */
  constructor(entries: Iterable<readonly [name: string, value: string]>) {
    for (const [name, value] of entries) this.#values.set(name.toLowerCase(), { name, value });
  }

  /** The value of a property, undefined where the component does not have it. */
  get(name: string): string | undefined {
    return this.#values.get(name.toLowerCase())?.value;
  }

  /** The names as they are written in the file. */
  get names(): readonly string[] {
    return [...this.#values.values()].map(({ name }) => name);
  }
}
