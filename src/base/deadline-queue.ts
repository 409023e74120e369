import type { Clock, Timer } from './clock';

/**
 * An item that is due at a time. The fields belong to the {@link DeadlineQueue}; an item can be in
 * only one queue, once.
 */
export interface Timed {
  /** The time on the queue's clock. */
  dueAtMs: number;
  /** The index in the heap; -1 if the item is not in the queue. */
  place: number;
}

/**
 * The longest sleep, in milliseconds. Node's timers stop while the machine is suspended. With a
 * clock that counts that time, items are due at the latest this long after the machine resumes.
 */
const LONGEST_SLEEP_MS = 1000;

/**
 * Calls back when items are due, with one timer for all: a binary heap ordered by time. Ten
 * thousand timers would need ten thousand objects and closures, and as many again at every renewal.
 */
export class DeadlineQueue<T extends Timed> {
  readonly #clock: Clock;
  readonly #onDue: (item: T) => void;
  readonly #heap: T[] = [];
  #timer: Timer | undefined;
  #wakesAtMs = Infinity;
  #isWaking = false;

  /**
   * @param onDue called with a due item after its removal; it may add the item again, and must not
   *   throw
   */
  constructor(clock: Clock, onDue: (item: T) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** The number of items. */
  get size(): number {
    return this.#heap.length;
  }

  /** Adds an item, or changes the time of an item. */
  set(item: T, dueAtMs: number): void {
    item.dueAtMs = dueAtMs;
    if (item.place < 0) {
      item.place = this.#heap.length;
      this.#heap.push(item);
    }
    this.#settle(item);
    this.#arm();
  }

  /** Removes an item. Has no effect if it is not in the queue. */
  delete(item: T): void {
    if (item.place < 0) return;
    this.#takeOut(item);
    if (this.#heap.length === 0) this.#disarm();
  }

  #takeOut(item: T): void {
    const { place } = item;
    const last = this.#heap.pop();
    item.place = -1;
    if (last === undefined || last === item) return;
    this.#put(last, place);
    this.#settle(last);
  }

  /** Moves an item to its place in the order. */
  #settle(item: T): void {
    this.#rise(item);
    this.#sink(item);
  }

  #rise(item: T): void {
    for (;;) {
      const place = (item.place - 1) >> 1;
      const parent = this.#heap[place];
      if (item.place === 0 || parent === undefined || parent.dueAtMs <= item.dueAtMs) return;
      this.#put(parent, item.place);
      this.#put(item, place);
    }
  }

  #sink(item: T): void {
    for (;;) {
      const child = this.#earlierChild(item.place);
      if (child === undefined || child.dueAtMs >= item.dueAtMs) return;
      const { place } = child;
      this.#put(child, item.place);
      this.#put(item, place);
    }
  }

  #earlierChild(place: number): T | undefined {
    const left = this.#heap[2 * place + 1];
    const right = this.#heap[2 * place + 2];
    if (left === undefined || right === undefined) return left;
    return right.dueAtMs < left.dueAtMs ? right : left;
  }

  #put(item: T, place: number): void {
    item.place = place;
    this.#heap[place] = item;
  }

  #arm(): void {
    const [first] = this.#heap;
    if (first === undefined || this.#isWaking) return;
    const nowMs = this.#clock.now();
    const wakesAtMs = Math.min(first.dueAtMs, nowMs + LONGEST_SLEEP_MS);
    // A timer that is overdue was delayed by a sleep of the machine, and may still run that long.
    const isOnTime = this.#wakesAtMs >= nowMs && this.#wakesAtMs <= wakesAtMs;
    if (this.#timer !== undefined && isOnTime) return;
    this.#disarm();
    this.#wakesAtMs = wakesAtMs;
    this.#timer = this.#clock.after(wakesAtMs - nowMs, () => {
      this.#wake();
    });
  }

  #disarm(): void {
    this.#timer?.close();
    this.#timer = undefined;
    this.#wakesAtMs = Infinity;
  }

  /**
   * Calls back for all due items. An item that becomes due meanwhile waits for the next timer, so
   * that an item that is always due can't block the process.
   */
  #wake(): void {
    this.#disarm();
    this.#isWaking = true;
    const nowMs = this.#clock.now();
    for (let left = this.#heap.length; left > 0; left -= 1) {
      const [first] = this.#heap;
      if (first === undefined || first.dueAtMs > nowMs) break;
      this.#takeOut(first);
      this.#onDue(first);
    }
    this.#isWaking = false;
    this.#arm();
  }
}
