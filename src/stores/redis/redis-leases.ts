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
import { Acquire, Renew } from './lease-calls';
import { Release } from './lock-calls';
import type { LockCommands, ReleaseTerms } from './lock-commands';
import type { RedisLink } from './redis-link';
import { toSupported } from './unsupported';

/** The dependencies and limits of calls. */
export interface RedisCalls {
  readonly attempts: Attempts<RedisLink>;
  /** Runs what grants or extends a lease. */
  readonly grants: Pick<Attempts<RedisLink>, 'run'>;
  readonly commands: LockCommands;
  /** Called after a release was sent; asks for the lock that are sent now are served after it. */
  readonly onReleasing: (key: string) => void;
  readonly acquireLimits: TimeLimits;
  readonly releaseLimits: TimeLimits;
}

/** Leases on a Redis. */
export class RedisLeases implements LeaseAbility {
  readonly #calls: RedisCalls;

  constructor(calls: RedisCalls) {
    this.#calls = calls;
  }

  acquire(call: TryLockCall, signal: CancelSignal): Promise<AcquireResult> {
    const { grants, commands, acquireLimits } = this.#calls;
    return toSupported(grants.run(new Acquire(commands, call), acquireLimits, signal));
  }

  renew(call: RenewCall, signal: CancelSignal): Promise<RenewResult> {
    const { grants, commands, acquireLimits } = this.#calls;
    return toSupported(grants.run(new Renew(commands, call), acquireLimits, signal));
  }

  release(call: ReleaseCall, signal: CancelSignal): Promise<UnlockOutcome> {
    return release(this.#calls, call, signal);
  }
}

/** Releases a lock by the grant that the terms name. */
export function release(
  { attempts, commands, onReleasing, releaseLimits }: RedisCalls,
  terms: ReleaseTerms,
  signal: CancelSignal,
): Promise<UnlockOutcome> {
  const outcome = attempts.run(new Release(commands, terms), releaseLimits, signal);
  onReleasing(terms.key);
  return outcome;
}
