import type { Clock, Timer } from './clock';

/** Something that is due at a time, at most once at a time in one {@link DeadlineQueue}, which keeps these fields. */
export interface Timed {
  /** On the queue's clock. */
  dueAtMs: number;
  /** Where in the queue it stands; -1 where it doesn't. */
  place: number;
}

/**
 * The longest sleep, in milliseconds. The timers of Node stand still while the machine is suspended; a clock that
 * counts that time finds after so long at the latest that something is due.
 */
const LONGEST_SLEEP_MS = 1000;

/**
 * Calls back for each of many things when it is due, by one timer: a binary heap, ordered by time. Ten thousand
 * timers would cost ten thousand objects and closures, and as many again at every renewal.
 */
export class DeadlineQueue<T extends Timed> {
  readonly #clock: Clock;
  readonly #onDue: (item: T) => void;
  readonly #heap: T[] = [];
  #timer: Timer | undefined;
  #wakesAtMs = Infinity;
  #isWaking = false;

  /** @param onDue is told of what was due, which isn't in the queue any more. It may set it again; must not throw. */
  constructor(clock: Clock, onDue: (item: T) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** How many things are to be due. */
  get size(): number {
    return this.#heap.length;
  }

  /** Makes something due at a time, instead of the time that was set before. */
  set(item: T, dueAtMs: number): void {
    item.dueAtMs = dueAtMs;
    if (item.place < 0) {
      item.place = this.#heap.length;
      this.#heap.push(item);
    }
    this.#settle(item);
    this.#arm();
  }

  /** Something is not due any more; has no effect where it was not. */
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

  /** Moves an item to where its time belongs. */
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
    // A timer whose time has passed without it was overtaken by a sleep, and may have that long to run.
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

  /** What is set meanwhile for now has its turn at the next timer: a thing that is always due blocks nothing. */
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
