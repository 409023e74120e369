/** An item with an id, and room for the link to the next one in its list. */
export interface Linked<T> {
  readonly id: number;
  /** Used by the table. */
  next: T | undefined;
}

/** The number of lists at first, and the items a list at which there are twice as many. */
const FEWEST_LISTS = 8;
const MOST_A_LIST = 4;

/**
 * The open streams of a connection by id. A Map would make garbage that only full collections remove
 * if its entries come and go with calls (docs/decisions/0011). Here a stream is itself its entry.
 */
export class StreamTable<T extends Linked<T>> {
  #lists: (T | undefined)[] = new Array<T | undefined>(FEWEST_LISTS).fill(undefined);
  #size = 0;

  /** The number of streams. */
  get size(): number {
    return this.#size;
  }

  /** The stream with an id. */
  get(id: number): T | undefined {
    let item = this.#lists[this.#listAt(id)];
    while (item !== undefined && item.id !== id) item = item.next;
    return item;
  }

  /** Adds a stream whose id is not in the table. */
  add(item: T): void {
    if (this.#size >= this.#lists.length * MOST_A_LIST) this.#grow();
    this.#link(item);
    this.#size += 1;
  }

  /** Removes a stream. Has no effect if it is not in the table. */
  delete(item: T): void {
    const at = this.#listAt(item.id);
    let before: T | undefined;
    let found = this.#lists[at];
    while (found !== undefined && found !== item) [before, found] = [found, found.next];
    if (found === undefined) return;
    if (before === undefined) this.#lists[at] = item.next;
    else before.next = item.next;
    item.next = undefined;
    this.#size -= 1;
  }

  /** All streams, in no order. They may be removed meanwhile. */
  all(): readonly T[] {
    const items: T[] = [];
    for (const first of this.#lists) {
      for (let item = first; item !== undefined; item = item.next) items.push(item);
    }
    return items;
  }

  /** The ids of a client are odd (RFC 9113, 5.1.1), and consecutive in most clients. */
  #listAt(id: number): number {
    return (id >>> 1) & (this.#lists.length - 1);
  }

  #link(item: T): void {
    const at = this.#listAt(item.id);
    item.next = this.#lists[at];
    this.#lists[at] = item;
  }

  #grow(): void {
    const items = this.all();
    this.#lists = new Array<T | undefined>(this.#lists.length * 2).fill(undefined);
    for (const item of items) this.#link(item);
  }
}
