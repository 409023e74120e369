import type { Lock } from '../../client/lock';
import { LockLostError } from '../../client/client-errors';
import type { Locks } from '../../client/locks';
import { toErrorMessage } from '../../base/error-message';
import { EXIT } from '../exit-codes';
import type { WaitingProgress } from '../waiting/waiting-progress';
import { Guard } from './guard';
import { LeaseWatch } from './lease-watch';
import { CommandStartError, ProcessGroup } from './process-group';
import { endRest } from './rest-of-group';
import { SignalRelay } from './signal-relay';

/** A command and the lock that it runs under. */
export interface RunRequest {
  readonly locks: Locks;
  readonly store: string;
  readonly resource: string;
  readonly owner: string | undefined;
  readonly ttlMs: number;
  readonly waitMs: number;
  readonly graceMs: number;
  readonly command: readonly string[];
  readonly isShell: boolean;
  readonly env: NodeJS.ProcessEnv;
  /** Writes a line for people. */
  readonly say: (line: string) => void;
  /** Tells how the wait for the lock goes; ended with it. */
  readonly waiting: WaitingProgress;
}

/** How long before the end of the lease nothing may run any more: a tenth of it, and no more than 500 ms. */
export function toMargin(ttlMs: number): number {
  return Math.min(500, ttlMs / 10);
}

/**
 * Takes a lock, runs a command, and releases the lock once no process of the command's group is left.
 *
 * @returns the exit code
 * @throws what `Locks.hold` throws
 */
export async function runUnderLock(request: RunRequest): Promise<number> {
  const relay = new SignalRelay();
  try {
    const lock = await take(request, relay);
    if (lock === undefined) return relay.exitCode ?? EXIT.defect;
    return await new GuardedRun(request, lock, relay).run();
  } finally {
    relay.close();
  }
}

/** Undefined if this process was asked to end first. */
async function take(
  { locks, resource, owner, ttlMs, waitMs, waiting }: RunRequest,
  { signal }: SignalRelay,
): Promise<Lock | undefined> {
  try {
    const onQueued = (ahead: number): void => {
      waiting.queued(ahead);
    };
    const lock = await locks.hold(resource, { owner, ttlMs, waitMs, signal, onQueued });
    if (!signal.aborted) return lock;
    await lock.release();
    return undefined;
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  } finally {
    waiting.end();
  }
}

/** A command under a lock that is held. */
class GuardedRun {
  readonly #request: RunRequest;
  readonly #lock: Lock;
  readonly #relay: SignalRelay;

  constructor(request: RunRequest, lock: Lock, relay: SignalRelay) {
    this.#request = request;
    this.#lock = lock;
    this.#relay = relay;
  }

  async run(): Promise<number> {
    const guard = new Guard();
    const exitCode = await this.#start(guard).finally(() => {
      guard.close();
    });
    return await this.#release(exitCode);
  }

  /** Runs the command. Resolves with the exit code when no process of its group is left. */
  async #start(guard: Guard): Promise<number> {
    const { command, isShell, env, say } = this.#request;
    try {
      const group = await ProcessGroup.start({ command, isShell, env: this.#toEnvironment(env) });
      guard.watch(group.id);
      return await this.#attend(group);
    } catch (error) {
      if (!(error instanceof CommandStartError)) throw error;
      say(error.message);
      return error.exitCode;
    }
  }

  #toEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
    const { store, resource } = this.#request;
    return {
      ...env,
      HOLDFAST_FENCING_TOKEN: String(this.#lock.token),
      HOLDFAST_LOCK_OWNER: this.#lock.owner,
      HOLDFAST_RESOURCE: resource,
      HOLDFAST_STORE: store,
    };
  }

  async #attend(group: ProcessGroup): Promise<number> {
    const watch = this.#watch(group);
    this.#relay.handTo(group);
    try {
      const exitCode = await group.exited;
      const { graceMs, say } = this.#request;
      const nextAsk = (): AbortSignal => this.#relay.nextAsk();
      await endRest(group, { graceMs, say, nextAsk, lost: this.#lock.lost });
      return watch.hasEnded ? EXIT.lost : exitCode;
    } finally {
      watch.close();
    }
  }

  #watch(group: ProcessGroup): LeaseWatch {
    const { graceMs, ttlMs, say } = this.#request;
    const lock = this.#lock;
    return new LeaseWatch({
      lock,
      graceMs,
      marginMs: toMargin(ttlMs),
      onTerm: () => {
        const reason = toErrorMessage(lock.signal.reason ?? 'little of its lease is left');
        say(`${reason}; the command is ended: SIGTERM, and SIGKILL after ${graceMs / 1000} s`);
        group.signal('SIGTERM');
      },
      onKill: () => {
        const reason = toErrorMessage(lock.lost.reason ?? 'the lease ends');
        const isKilled = group.signal('SIGKILL');
        say(`${reason}; the command ${isKilled ? 'is' : "can't be"} killed`);
      },
    });
  }

  async #release(exitCode: number): Promise<number> {
    const { say } = this.#request;
    try {
      await this.#lock.release();
    } catch (error) {
      if (exitCode === EXIT.lost && error instanceof LockLostError) return exitCode;
      if (error instanceof LockLostError) {
        say(`${error.message}, before the command ended; another may have run at the same time`);
        return exitCode === 0 ? EXIT.lost : exitCode;
      }
      const left = `it ends by itself in ${(this.#request.ttlMs / 1000).toFixed(1)} s at the latest`;
      say(
        `the lock "${this.#lock.resourceId}" was not released, ${left}: ${toErrorMessage(error)}`,
      );
    }
    return exitCode;
  }
}
