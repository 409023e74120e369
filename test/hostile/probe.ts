import { setTimeout as pause } from 'node:timers/promises';

import { GrpcLockCaller } from './grpc-lock-caller';
import { HttpLockCaller } from './http-lock-caller';
import { readWaitedMs } from './process-state';

/** Time between two calls of the probe on one transport, in milliseconds. */
const EVERY_MS = 20;

/** Calls under way at a time on each transport while the sidecar is warmed up. */
const WARM_UP_CALLS = 32;

/** A call that takes longer counts as one that took so long, and failed. */
export const LONGEST_CALL_MS = 20_000;

/** Whom the probe calls. */
export interface ProbeTarget {
  readonly pid: number;
  readonly httpPort: number;
  /** Left out by a stand-in that speaks HTTP alone. */
  readonly grpcPort?: number | undefined;
  readonly token?: string | undefined;
  readonly tls?: boolean;
}

/** The results of the lock calls beside the attack. */
export interface ProbeResult {
  readonly calls: number;
  readonly failed: number;
  /** The first few failures, in words. */
  readonly failures: readonly string[];
  /** The longest time from a call to its answer, less the time that it waited for a processor. */
  readonly stallMs: number;
  /** How long sidecar and probe waited for one in that call: what a busy machine did, not the attack. */
  readonly waitedMs: number;
  /** Over which transport that was. */
  readonly stalled: string;
}

/** Takes and releases a lock over one transport and one connection. */
export interface LockCaller {
  readonly transport: string;
  /** Throws where it is not answered as a free lock, or as one that the caller holds. */
  call(action: 'lock' | 'unlock', resourceId: string): Promise<void>;
  close(): void;
}

/** The store that only the probe uses; its keys are `lock||probestore||…`. */
export const PROBE_STORE = 'probestore';

const MOST_FAILURES = 5;

/**
 * An innocent neighbour: takes and releases locks of its own, one call every 20 ms on a connection of its
 * own for each transport, and notes how long the longest call took. A call waits for the one before it on
 * its transport, so that a stall is counted once, from its first call.
 */
export class Probe {
  readonly #pid: number;
  readonly #callers: readonly LockCaller[];
  #calls = 0;
  #failed = 0;
  #failures: string[] = [];
  #stallMs = 0;
  #waitedMs = 0;
  #stalled = '';
  #stopping = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(target: ProbeTarget) {
    this.#pid = target.pid;
    this.#callers = [
      new HttpLockCaller(target),
      ...(target.grpcPort === undefined ? [] : [new GrpcLockCaller(target)]),
    ];
  }

  /** Makes the first calls, which open the connections, and goes on calling. */
  async start(): Promise<void> {
    for (const caller of this.#callers) await takeAndRelease(caller, 'first');
    this.#running = Promise.all(this.#callers.map((caller) => this.#goOn(caller)));
  }

  /** Forgets what it has seen so far. */
  reset(): void {
    [this.#calls, this.#failed, this.#failures] = [0, 0, []];
    [this.#stallMs, this.#waitedMs, this.#stalled] = [0, 0, ''];
  }

  /** Calls as fast as it can for so long. Its failures are not noted: the calls beside it show them. */
  async warmUp(forMs: number): Promise<void> {
    const until = performance.now() + forMs;
    const work = async (caller: LockCaller, name: string): Promise<void> => {
      for (let turn = 0; performance.now() < until; turn += 1) {
        await takeAndRelease(caller, `warm-up-${name}-${turn}`);
      }
    };
    const workers = Array.from({ length: WARM_UP_CALLS }, (_, index) =>
      this.#callers.map((caller) => work(caller, `${caller.transport}-${index}`)),
    );
    await Promise.all(workers.flat());
  }

  /** Ends with the calls that are under way, and tells what it has seen since {@link reset}. */
  async finish(): Promise<ProbeResult> {
    this.#stopping = true;
    await this.#running;
    for (const caller of this.#callers) caller.close();
    return {
      calls: this.#calls,
      failed: this.#failed,
      failures: this.#failures,
      stallMs: this.#stallMs,
      waitedMs: this.#waitedMs,
      stalled: this.#stalled,
    };
  }

  async #goOn(caller: LockCaller): Promise<void> {
    for (let turn = 0; !this.#stopping; turn += 1) {
      const resourceId = `${caller.transport}-${turn}`;
      await this.#timed(caller, 'lock', resourceId);
      await pause(EVERY_MS);
      await this.#timed(caller, 'unlock', resourceId);
      await pause(EVERY_MS);
    }
  }

  /** One works while the other waits for it, so that the two add up. */
  #waited(): number {
    return readWaitedMs(this.#pid) + readWaitedMs(process.pid);
  }

  async #timed(caller: LockCaller, action: 'lock' | 'unlock', resourceId: string): Promise<void> {
    const [calledAt, waitedBefore] = [performance.now(), this.#waited()];
    this.#calls += 1;
    try {
      await caller.call(action, resourceId);
    } catch (error) {
      this.#failed += 1;
      if (this.#failures.length < MOST_FAILURES) {
        this.#failures.push(`${caller.transport} ${action}: ${String(error)}`);
      }
    }
    const waitedMs = this.#waited() - waitedBefore;
    const stallMs = performance.now() - calledAt - waitedMs;
    if (stallMs <= this.#stallMs) return;
    [this.#stallMs, this.#waitedMs, this.#stalled] = [stallMs, waitedMs, caller.transport];
  }
}

async function takeAndRelease(caller: LockCaller, resourceId: string): Promise<void> {
  await caller.call('lock', resourceId);
  await caller.call('unlock', resourceId);
}
