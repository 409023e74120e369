/** The overhead of an entry beside its octets (RFC 7541, 4.1). */
const ENTRY_BYTES = 32;

/** The number of evicted places at the beginning of the lists at which they are cut off. */
const MOST_EVICTED = 256;

/** The size of a header field in a table or a list (RFC 7541, 4.1; RFC 9113, 6.5.2). */
export function sizeOfField(name: string, value: string): number {
  return name.length + value.length + ENTRY_BYTES;
}

/** The dynamic table of a decoder (RFC 7541, 2.3.2): the fields that were added last, by index. */
export class DynamicTable {
  readonly #names: string[] = [];
  readonly #values: string[] = [];
  /** The number of places in the lists that are evicted. */
  #evicted = 0;
  #size = 0;
  #maxSize: number;
  #version = 0;

  /** @param maxSize in bytes, as {@link sizeOfField} counts */
  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  /** The number of entries. */
  get count(): number {
    return this.#names.length - this.#evicted;
  }

  /** Changes whenever an index may mean another entry. */
  get version(): number {
    return this.#version;
  }

  /** The name of an entry; 0 is the one that was added last. Undefined if there is none. */
  nameAt(index: number): string | undefined {
    return index < this.count ? this.#names[this.#names.length - 1 - index] : undefined;
  }

  /** The value of an entry. */
  valueAt(index: number): string | undefined {
    return index < this.count ? this.#values[this.#values.length - 1 - index] : undefined;
  }

  /** Adds an entry and evicts others. One that is larger than the table empties it (RFC 7541, 4.4). */
  add(name: string, value: string): void {
    const size = sizeOfField(name, value);
    this.#version += 1;
    this.#evictDownTo(Math.max(0, this.#maxSize - size));
    if (size > this.#maxSize) return;
    this.#names.push(name);
    this.#values.push(value);
    this.#size += size;
  }

  /** Changes the maximum size and evicts what no longer fits (RFC 7541, 4.3). */
  resize(maxSize: number): void {
    this.#version += 1;
    this.#maxSize = maxSize;
    this.#evictDownTo(maxSize);
  }

  #evictDownTo(size: number): void {
    while (this.#size > size) {
      const at = this.#evicted;
      this.#size -= sizeOfField(this.#names[at] ?? '', this.#values[at] ?? '');
      // The texts may be long, and the lists are cut off only now and then.
      this.#names[at] = '';
      this.#values[at] = '';
      this.#evicted += 1;
    }
    if (this.#evicted < MOST_EVICTED && this.count > 0) return;
    this.#names.splice(0, this.#evicted);
    this.#values.splice(0, this.#evicted);
    this.#evicted = 0;
  }
}
