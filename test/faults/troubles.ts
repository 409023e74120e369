import { GIVEN_UP } from './given-up';
import { type FaultWindow, firstIndex } from './history';

/** Keeps nothing from its work: a script is sent again by its text. */
const HARMLESS = new Set(['SCRIPT FLUSH']);

/**
 * After these a connection stays silent until the sidecar gives a send on it up. A member of etcd answers nothing for seconds
 * where what it proposed was lost with the leader.
 */
const SWALLOWING = new Set([
  ...['replies dropped', 'requests dropped', 'half-open'],
  'one node cut off from one sidecar',
  ...['member paused', 'leader killed', 'election'],
]);

/** In these a sidecar itself stands still. */
const STANDSTILL = 'sidecar paused';

/** How long after a fault a sidecar may take to be connected again: a fault is nearby for so long. */
export const CONNECTED_WITHIN_MS = 1000;

/** How long a send waits for its reply, where nothing else is known: the default of a component. */
const SEND_WAITS_MS = 3000;

/** How long a ticket lives after the last refresh of its sidecar. */
const TICKET_LIFE_MS = 3000;

/** A sidecar that nothing is wrong with refreshes its tickets at least so often, on a busy machine. */
const REFRESHED_WITHIN_MS = 800;

/** The same where one of several servers may be away: a refresh waits a second for it. */
const REFRESHED_BESIDE_OTHERS_WITHIN_MS = 1300;

/** After a lapse every waiter has asked again within this time after the next refresh. */
const ASKED_AGAIN_WITHIN_MS = 1500;

/** How far the clocks of two processes may be apart. */
const SLACK_MS = 150;

/** A time, and what it is about: everybody where no sidecar is named, and all locks where no key is. */
export type Time = Pick<FaultWindow, 'fromMs' | 'toMs' | 'sidecar'> & { readonly key?: string };

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

interface Harm extends Span {
  /** When the data was first lost in it; Infinity where it was not. */
  readonly lostAtMs: number;
}

/** The troubles of a run: faults that were injected, and stalls that were measured. */
export interface TroubleSources {
  readonly faults: readonly FaultWindow[];
  /** Times in which a process stood still, or a send was given up, as was measured; none where this is left out. */
  readonly stalls?: readonly FaultWindow[] | undefined;
  /** How long the sends of each sidecar wait. */
  readonly sendWaitsMs?: readonly (number | undefined)[] | undefined;
}

/**
 * Says what faults and stalls can explain. Nothing else excuses anything: a call that was merely slow is judged like any
 * other. A fault counts from its beginning until {@link CONNECTED_WITHIN_MS} after its end, and where it swallowed bytes
 * for the time that a send waits, too; and only for the sidecars and the locks that it hit. A stall counts for as long as it
 * lasted.
 */
export class Troubles {
  readonly #sources: TroubleSources;
  readonly #timelines = new Map<string, Timeline>();

  constructor(sources: TroubleSources) {
    this.#sources = sources;
  }

  /** True where a trouble of this lock and this sidecar, or of all, is nearby. */
  meets({ fromMs, toMs, sidecar, key }: Time): boolean {
    const { harms } = this.#of(sidecar, key);
    const next = harms[firstIndex(harms, (harm) => harm.toMs >= fromMs)];
    return next !== undefined && next.fromMs <= toMs;
  }

  /** How much of a time a sidecar, or the machine, stood still: by so much everything may be late. */
  stoodStillMs({ fromMs, toMs, sidecar }: Time): number {
    const { standstills } = this.#of(sidecar);
    let sum = 0;
    let at = firstIndex(standstills, (each) => each.toMs >= fromMs);
    for (; at < standstills.length && standstills[at]!.fromMs <= toMs; at += 1) {
      const each = standstills[at]!;
      sum += Math.min(toMs, each.toMs) - Math.max(fromMs, each.fromMs);
    }
    return sum;
  }

  /**
   * True where a ticket of this sidecar may be out of its queue: the data was lost, or the sidecar could not refresh for so
   * long that its tickets lapsed, and nobody is sure yet that it has asked again.
   */
  mayBeDropped(atMs: number, whom: Pick<Time, 'sidecar' | 'key'>): boolean {
    const { standing } = this.#of(whom.sidecar, whom.key);
    const next = standing[firstIndex(standing, ({ toMs }) => toMs >= atMs)];
    return next === undefined || next.fromMs > atMs;
  }

  /** When something has to be done that takes `withinMs` without trouble, and may begin at `fromMs`. */
  dueAtMs(fromMs: number, withinMs: number, whom: Pick<Time, 'sidecar' | 'key'>): number {
    const { harms } = this.#of(whom.sidecar, whom.key);
    let beginsMs = fromMs;
    let at = firstIndex(harms, (harm) => harm.toMs >= fromMs);
    for (; at < harms.length && harms[at]!.fromMs <= beginsMs + withinMs; at += 1) {
      beginsMs = Math.max(beginsMs, harms[at]!.toMs);
    }
    return beginsMs + withinMs;
  }

  #of(sidecar: number | undefined, key?: string): Timeline {
    const name = `${String(sidecar)} ${key ?? ''}`;
    let timeline = this.#timelines.get(name);
    if (timeline === undefined) {
      timeline = new Timeline(this.#sources, sidecar, key);
      this.#timelines.set(name, timeline);
    }
    return timeline;
  }
}

/** The troubles of one sidecar with one lock, or with any, each list in order and without overlaps. */
class Timeline {
  readonly harms: readonly Harm[];
  readonly standstills: readonly Span[];
  readonly standing: readonly Span[];

  constructor(
    { faults, stalls = [], sendWaitsMs = [] }: TroubleSources,
    sidecar?: number,
    key?: string,
  ) {
    const concerns = (each: FaultWindow): boolean =>
      (each.sidecar === undefined || sidecar === undefined || each.sidecar === sidecar) &&
      (key === undefined || (each.concerns?.(key) ?? true));
    const hits = faults.filter((fault) => concerns(fault) && !HARMLESS.has(fault.kind));
    const still = stalls.filter(concerns);
    const paused = hits.filter(({ kind }) => kind === STANDSTILL);
    const sendWaitMs = (sidecar === undefined ? undefined : sendWaitsMs[sidecar]) ?? SEND_WAITS_MS;
    const stood = still.filter(({ kind }) => kind !== GIVEN_UP);
    this.standstills = merge([...stood, ...paused].map(toHarm));
    const aftermath = hits.map((each) => withAftermath(each, sendWaitMs));
    this.harms = merge([...aftermath, ...still.map(toHarm)]);
    const isOneOfMany = faults.some((each) => each.concerns !== undefined);
    this.standing = toStanding(
      this.harms,
      isOneOfMany ? REFRESHED_BESIDE_OTHERS_WITHIN_MS : REFRESHED_WITHIN_MS,
    );
  }
}

const toHarm = ({ fromMs, toMs }: Span): Harm => ({ fromMs, toMs, lostAtMs: Infinity });

function withAftermath({ kind, fromMs, toMs, losesData }: FaultWindow, sendWaitMs: number): Harm {
  const silentMs = SWALLOWING.has(kind) ? sendWaitMs : 0;
  const lostAtMs = losesData ? fromMs : Infinity;
  return { fromMs, toMs: toMs + silentMs + CONNECTED_WITHIN_MS, lostAtMs };
}

/** The times in which tickets stand for certain. */
function toStanding(harms: readonly Harm[], refreshedWithinMs: number): Span[] {
  const standing: { fromMs: number; toMs: number }[] = [];
  let before: Harm = { fromMs: -Infinity, toMs: -Infinity, lostAtMs: Infinity };
  for (const harm of [...harms, { fromMs: Infinity, toMs: Infinity, lostAtMs: Infinity }]) {
    const last = standing.at(-1);
    if (last !== undefined) last.toMs = Math.min(last.toMs, before.lostAtMs - SLACK_MS);
    // In a shorter time nobody knows whether there was a refresh.
    if (harm.fromMs - before.toMs >= refreshedWithinMs) {
      const refreshedByMs = before.toMs + refreshedWithinMs;
      const toMs = harm.fromMs - refreshedWithinMs + TICKET_LIFE_MS - SLACK_MS;
      if (last !== undefined && refreshedByMs <= last.toMs) last.toMs = toMs;
      else standing.push({ fromMs: refreshedByMs + ASKED_AGAIN_WITHIN_MS, toMs });
    }
    before = harm;
  }
  const last = standing.at(-1);
  if (last !== undefined) last.toMs = Math.min(last.toMs, before.lostAtMs - SLACK_MS);
  return standing;
}

/** The same times as ones that come one after another. */
function merge(times: readonly Harm[]): Harm[] {
  const merged: { fromMs: number; toMs: number; lostAtMs: number }[] = [];
  for (const time of [...times].sort((one, other) => one.fromMs - other.fromMs)) {
    const last = merged.at(-1);
    if (last === undefined || time.fromMs > last.toMs) {
      merged.push({ ...time });
    } else {
      last.toMs = Math.max(last.toMs, time.toMs);
      last.lostAtMs = Math.min(last.lostAtMs, time.lostAtMs);
    }
  }
  return merged;
}
