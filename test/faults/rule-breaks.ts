import type { FaultWindow, Operation } from './history';
import type { Hold } from './holds';
import type { Tally } from './tally';
import type { Troubles } from './troubles';

/** Everything that the rules beside the history of each lock are about. */
export interface Account {
  readonly operations: readonly Operation[];
  readonly holds: readonly Hold[];
  readonly faults: readonly FaultWindow[];
  readonly troubles: Troubles;
  readonly tally: Tally;
  /** The offset to subtract from a time of the wall clock to get one of the history. */
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
