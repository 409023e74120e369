import { setTimeout as pause } from 'node:timers/promises';

import type { Operation } from './history';
import type { Random } from './random';
import type { LockRequest, SidecarUnderTest } from './system';

/** The owner name that Dapr's how-to gives to every instance of an app. */
export const SHARED_OWNER = 'random_id_abc123';

/** Leases are short, so that many run out in a run; the wire knows whole seconds only. */
const LEASE_SECONDS = [1, 1, 1, 2] as const;

/** How many calls there are, by whom, on what. */
export interface WorkloadOptions {
  readonly sidecars: readonly SidecarUnderTest[];
  readonly clients: number;
  readonly keys: number;
  readonly operations: number;
  /** How long most clients wait. */
  readonly deadlineMs: number;
  readonly random: Random;
  /** Goes into every resource. */
  readonly run: string;
}

/** Calls the sidecars from many clients at once and keeps what each was told. */
export class Workload {
  readonly operations: Operation[] = [];
  readonly #options: WorkloadOptions;
  #begun = 0;

  constructor(options: WorkloadOptions) {
    this.#options = options;
  }

  /** Runs until so many operations have begun, and waits for their answers. */
  async run(): Promise<void> {
    const { clients, random } = this.#options;
    const forks = Array.from({ length: clients }, () => random.fork());
    await Promise.all(forks.map((fork, index) => this.#client(index, fork)));
  }

  get #isOver(): boolean {
    return this.#begun >= this.#options.operations;
  }

  async #client(index: number, random: Random): Promise<void> {
    const { sidecars, keys, run } = this.#options;
    for (let turn = 0; !this.#isOver; turn += 1) {
      const sidecar = random.pick(sidecars);
      const resourceId = `${run}-${random.between(1, keys)}`;
      const owner = random.chance(0.15) ? SHARED_OWNER : `owner-${index}-${turn}`;
      const acquired = await this.#call(random, sidecar, { kind: 'tryLock', resourceId, owner });
      if (acquired.answer === 'acquired') {
        if (random.chance(0.1))
          await this.#call(random, sidecar, { kind: 'tryLock', resourceId, owner });
        await pause(random.between(0, 8));
        // Some forget to unlock, some come back when their lease is over.
        if (random.chance(0.08)) continue;
        if (random.chance(0.02)) await pause(random.between(900, 1300));
        const released = await this.#call(random, random.pick(sidecars), {
          kind: 'unlock',
          resourceId,
          owner,
        });
        if (released.answer === 'unlocked' && random.chance(0.3)) {
          await this.#call(random, sidecar, { kind: 'unlock', resourceId, owner });
        }
      } else {
        if (random.chance(0.15))
          await this.#call(random, sidecar, { kind: 'unlock', resourceId, owner });
        // Who meets a failure waits a little, as programs do.
        await pause(acquired.answer === 'refused' ? random.between(0, 4) : random.between(10, 60));
      }
    }
  }

  async #call(
    random: Random,
    sidecar: SidecarUnderTest,
    what: Pick<LockRequest, 'kind' | 'resourceId' | 'owner'>,
  ): Promise<Operation> {
    const id = this.#begun;
    this.#begun += 1;
    const expiryInSeconds = random.pick(LEASE_SECONDS);
    // Some hang up early, most wait longer than a call may take.
    const deadlineMs = random.chance(0.03) ? random.between(2, 300) : this.#options.deadlineMs;
    const calledAtMs = performance.now();
    const result = await sidecar.call({ ...what, expiryInSeconds, deadlineMs });
    const operation: Operation = {
      id,
      kind: what.kind,
      by: sidecar.by,
      key: `lock||myapp||${what.resourceId}`,
      owner: what.owner,
      ttlMs: what.kind === 'tryLock' ? expiryInSeconds * 1000 : 0,
      calledAtMs,
      returnedAtMs: performance.now(),
      ...result,
    };
    this.operations.push(operation);
    return operation;
  }
}
