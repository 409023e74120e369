import type { CancelSignal } from '../../base/cancellation';
import type { TryLockCall, UnlockOutcome } from '../../lock/lock-store';
import type {
  AcquireResult,
  LeaseAbility,
  ReleaseCall,
  RenewCall,
  RenewResult,
} from '../../lock/store-abilities';
import type { Attempts } from '../attempts/attempts';
import type { TimeLimits } from '../attempts/command';
import { Acquire, Release, type ReleaseTerms, Renew } from './lock-calls';
import type { PostgresqlLink } from './postgresql-link';
import type { Statements } from './statements';

/** The dependencies and limits of calls. */
export interface PostgresqlCalls {
  readonly attempts: Attempts<PostgresqlLink>;
  readonly statements: Statements;
  readonly limits: TimeLimits;
}

/** Leases on a PostgreSQL. */
export class PostgresqlLeases implements LeaseAbility {
  readonly #calls: PostgresqlCalls;

  constructor(calls: PostgresqlCalls) {
    this.#calls = calls;
  }

  acquire(call: TryLockCall, signal: CancelSignal): Promise<AcquireResult> {
    const { attempts, statements, limits } = this.#calls;
    return attempts.run(new Acquire(statements, call), limits, signal);
  }

  renew(call: RenewCall, signal: CancelSignal): Promise<RenewResult> {
    const { attempts, statements, limits } = this.#calls;
    return attempts.run(new Renew(statements, call), limits, signal);
  }

  release(call: ReleaseCall, signal: CancelSignal): Promise<UnlockOutcome> {
    return release(this.#calls, call, signal);
  }
}

/** Releases a lock by the grant that the terms name. */
export function release(
  { attempts, statements, limits }: PostgresqlCalls,
  terms: ReleaseTerms,
  signal: CancelSignal,
): Promise<UnlockOutcome> {
  return attempts.run(new Release(statements, terms), limits, signal);
}
