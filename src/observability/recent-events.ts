import { type RecentEvent, type RecentKind, toShown } from '../api/overview';

/** How many events of each kind are kept. */
export const KEPT_EVENTS = 50;

const KINDS = ['granted', 'refused', 'lost', 'freed', 'failed'] as const satisfies RecentKind[];

/** An event as it is kept. */
interface Slot {
  /** On a monotonic clock. */
  atMs: number;
  storeName: string;
  resourceId: string;
  lockOwner: string;
  reason: string;
}

/** An event of a lock. */
export type LockEvent = Pick<Slot, 'storeName' | 'resourceId' | 'lockOwner'>;

/**
 * The latest events of each kind, in rings of {@link KEPT_EVENTS} slots that are used again and
 * again. A flood of one kind does not drop the events of another. Together they keep at most some
 * 400 kB: long texts are cut before they are kept.
 */
export class RecentEvents {
  readonly #rings: Readonly<Record<RecentKind, Ring>> = {
    granted: new Ring(),
    refused: new Ring(),
    lost: new Ring(),
    freed: new Ring(),
    failed: new Ring(),
  };

  /**
   * Keeps an event.
   *
   * @param atMs its time on a monotonic clock, in milliseconds
   * @param reason why; empty if there is nothing to say
   */
  add(
    kind: RecentKind,
    atMs: number,
    { event, reason }: { event: LockEvent; reason: string },
  ): void {
    const slot = this.#rings[kind].next();
    slot.atMs = atMs;
    slot.storeName = event.storeName;
    slot.resourceId = toKept(event.resourceId);
    slot.lockOwner = toKept(event.lockOwner);
    slot.reason = toKept(reason);
  }

  /** All events, the latest first. */
  view(nowMs: number): readonly RecentEvent[] {
    return KINDS.flatMap((kind) => this.#rings[kind].latestFirst().map((slot) => ({ kind, slot })))
      .sort((a, b) => b.slot.atMs - a.slot.atMs)
      .map(({ kind, slot: { atMs, ...event } }) => ({
        kind,
        agoMs: Math.max(0, Math.round(nowMs - atMs)),
        ...event,
      }));
  }
}

class Ring {
  readonly #slots: Slot[] = [];
  #next = 0;

  next(): Slot {
    const used = this.#slots[this.#next];
    this.#next = (this.#next + 1) % KEPT_EVENTS;
    if (used !== undefined) return used;
    const slot = { atMs: 0, storeName: '', resourceId: '', lockOwner: '', reason: '' };
    this.#slots.push(slot);
    return slot;
  }

  latestFirst(): readonly Slot[] {
    return [...this.#slots.slice(this.#next), ...this.#slots.slice(0, this.#next)].reverse();
  }
}

/** Cuts a long text. The short one is a copy: V8's slice of a text keeps all of it in memory. */
function toKept(text: string): string {
  const shown = toShown(text);
  return shown === text ? text : Buffer.from(shown).toString();
}
