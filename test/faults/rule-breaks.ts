import type { FaultWindow, Operation } from './history';
import type { Hold } from './holds';
import type { Tally } from './tally';
import type { TokenTimes } from './token-times';
import type { Troubles } from './troubles';

/** Everything that the rules beside the history of each lock are about. */
export interface Account {
  readonly operations: readonly Operation[];
  readonly holds: readonly Hold[];
  readonly faults: readonly FaultWindow[];
  readonly troubles: Troubles;
  readonly tally: Tally;
  /** When a token was drawn. */
  readonly drawnAt: TokenTimes;
}

/** A promise that was not kept. */
export interface RuleBreak {
  readonly what: string;
  readonly about: Operation | Hold;
}
