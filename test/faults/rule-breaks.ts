import { type FaultWindow, firstIndex, meetsAny, type Operation } from './history';
import type { Hold } from './holds';

/** Faults that last no time: a ticket, a lease and a wait are none the worse for them. */
const HARMLESS = new Set(['SCRIPT FLUSH', 'CLIENT KILL']);

/** How long a call may be on its way, on a busy machine. */
const ON_ITS_WAY_MS = 200;

/** Everything that the rules beside the history of each lock are about. */
export interface Account {
  readonly operations: readonly Operation[];
  readonly holds: readonly Hold[];
  readonly faults: readonly FaultWindow[];
  /** Times in which the machine had too much to do for anybody to be in time; none where this is left out. */
  readonly stalls?: readonly FaultWindow[];
  /** What to take from a moment of the wall clock to have one of the history's. */
  readonly wallMs: number;
}

/** A promise that was not kept. */
export interface RuleBreak {
  readonly what: string;
  readonly about: Operation | Hold;
}

/** When a token was drawn: Redis's clock stands in it, in microseconds. */
export function drawnAtMs(token: number, { wallMs }: Pick<Account, 'wallMs'>): number {
  return token / 1000 - wallMs;
}

/** True where a fault may have kept a sidecar from its work in this time, or its Redis. */
export function mayDisturb(
  { faults, stalls = [] }: Pick<Account, 'faults' | 'stalls'>,
  { fromMs, toMs, sidecar }: Pick<FaultWindow, 'fromMs' | 'toMs' | 'sidecar'>,
): boolean {
  if (meetsAny(stalls, { fromMs, toMs })) return true;
  for (let at = firstIndex(faults, (fault) => fault.toMs >= fromMs); at < faults.length; at += 1) {
    const fault = faults[at]!;
    if (fault.fromMs > toMs) return false;
    const concerns = fault.sidecar === undefined || fault.sidecar === sidecar;
    if (concerns && !HARMLESS.has(fault.kind)) return true;
  }
  return false;
}

/** True where a call may have lain before its sidecar, which stood still: what the sidecar counts began only then. */
export function mayArriveLate(
  { calledAtMs, sidecar }: Pick<Operation, 'calledAtMs' | 'sidecar'>,
  { faults }: Pick<Account, 'faults'>,
): boolean {
  let at = firstIndex(faults, (fault) => fault.toMs >= calledAtMs);
  for (; at < faults.length && faults[at]!.fromMs <= calledAtMs + ON_ITS_WAY_MS; at += 1) {
    if (faults[at]!.kind === 'sidecar paused' && faults[at]!.sidecar === sidecar) return true;
  }
  return false;
}
