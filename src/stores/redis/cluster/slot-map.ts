import { type RedisAddress, toAddressText } from '../redis-address';
import { SLOTS } from './slots';
import type { SlotRange } from './topology';

/** Which master serves which slot, as far as is known. Masters are named by their address as text. */
export class SlotMap {
  #masters = new Array<string | undefined>(SLOTS);
  #covered = 0;
  readonly #addresses = new Map<string, RedisAddress>();

  /** The master of a slot. Undefined if none is known. */
  masterOf(slot: number): string | undefined {
    return this.#masters[slot];
  }

  /** The number of slots with a master. */
  get covered(): number {
    return this.#covered;
  }

  /** All masters that serve a slot. */
  get masters(): ReadonlyMap<string, RedisAddress> {
    const texts = new Set(this.#masters);
    return new Map([...this.#addresses].filter(([text]) => texts.has(text)));
  }

  /**
   * Replaces the map.
   *
   * @returns the masters that have got slots
   */
  replace(ranges: readonly SlotRange[]): ReadonlySet<string> {
    const before = this.#masters;
    this.#masters = new Array<string | undefined>(SLOTS);
    for (const { first, last, master } of ranges) {
      this.#masters.fill(this.#note(master), first, last + 1);
    }
    this.#covered = this.#masters.filter((master) => master !== undefined).length;
    const gained = this.#masters.filter((master, slot) => master !== before[slot]);
    return new Set(gained.filter((master) => master !== undefined));
  }

  /**
   * Notes that a master has got one slot.
   *
   * @returns the master
   */
  move(slot: number, master: RedisAddress): string {
    const text = this.#note(master);
    if (this.#masters[slot] === undefined) this.#covered += 1;
    this.#masters[slot] = text;
    return text;
  }

  #note(master: RedisAddress): string {
    const text = toAddressText(master);
    this.#addresses.set(text, master);
    return text;
  }
}
