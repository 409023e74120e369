import { SHOWN_MINUTES } from '../api/overview';

/** The width of a slot in milliseconds. A shown minute begins up to this much too early. */
const SLOT_MS = 10_000;
const SLOTS_PER_MINUTE = 60_000 / SLOT_MS;
const SLOTS = SHOWN_MINUTES * SLOTS_PER_MINUTE;

/**
 * Counts events in a ring of slots of 10 s, for the last {@link SHOWN_MINUTES} minutes. Counting
 * allocates nothing.
 */
export class MinuteCounts {
  readonly #slots = new Uint32Array(SLOTS);
  /** The number of the latest slot, counted from time 0. */
  #latest = 0;

  /** Counts an event at this time, in milliseconds on a monotonic clock. */
  add(nowMs: number): void {
    this.#advance(nowMs);
    const at = this.#latest % SLOTS;
    this.#slots[at] = (this.#slots[at] ?? 0) + 1;
  }

  /** The events of each minute before this time, the latest minute last. */
  perMinute(nowMs: number): readonly number[] {
    this.#advance(nowMs);
    return Array.from({ length: SHOWN_MINUTES }, (_, minute) =>
      this.#sumOf(SHOWN_MINUTES - 1 - minute),
    );
  }

  #sumOf(minutesAgo: number): number {
    let sum = 0;
    for (let slot = 0; slot < SLOTS_PER_MINUTE; slot += 1) {
      // A whole turn is added, because the first slots of a young process have negative numbers.
      const number = this.#latest - minutesAgo * SLOTS_PER_MINUTE - slot + SLOTS;
      sum += this.#slots[number % SLOTS] ?? 0;
    }
    return sum;
  }

  /** Empties the slots that were not reached since. */
  #advance(nowMs: number): void {
    const current = Math.floor(nowMs / SLOT_MS);
    if (current <= this.#latest) return;
    const passed = Math.min(current - this.#latest, SLOTS);
    for (let back = 0; back < passed; back += 1) this.#slots[(current - back) % SLOTS] = 0;
    this.#latest = current;
  }
}
