import { setTimeout as pause } from 'node:timers/promises';

import type { Operation } from './history';
import type { LockRequest } from './lock-request';
import { NativeClient } from './native-workload';
import type { Random } from './random';
import { Recorder } from './recorder';
import type { SidecarUnderTest } from './sidecar-under-test';

/** The owner name that Dapr's how-to gives to every instance of an app. */
export const SHARED_OWNER = 'random_id_abc123';

/** Leases are short, so that many run out in a run; the wire knows whole seconds only. */
const LEASES_MS = [1000, 1000, 1000, 2000] as const;

/** How many calls there are, by whom, on what. */
export interface WorkloadOptions {
  readonly sidecars: readonly SidecarUnderTest[];
  /** Clients of Dapr's API. */
  readonly clients: number;
  /** Clients of the native API, which wait and hold. */
  readonly nativeClients: number;
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
  readonly recorder: Recorder;
  readonly #options: WorkloadOptions;
  #isCut = false;

  constructor(options: WorkloadOptions) {
    this.#options = options;
    this.recorder = new Recorder(options.sidecars);
  }

  /** Runs until so many operations have begun, and waits for their answers. */
  async run(): Promise<void> {
    const { clients, nativeClients, random } = this.#options;
    const dapr = Array.from({ length: clients }, (_, index) => this.#client(index, random.fork()));
    const native = Array.from({ length: nativeClients }, (_, index) =>
      this.#nativeClient(index, random.fork()),
    );
    await Promise.all([...dapr, ...native]);
  }

  /** Begins nothing more. */
  cut(): void {
    this.#isCut = true;
  }

  get #isOver(): boolean {
    return this.#isCut || this.recorder.begun >= this.#options.operations;
  }

  async #nativeClient(index: number, random: Random): Promise<void> {
    const client = new NativeClient(index, { ...this.#options, random, recorder: this.recorder });
    while (!this.#isOver) await client.turn();
  }

  async #client(index: number, random: Random): Promise<void> {
    const { sidecars, keys, run } = this.#options;
    for (let turn = 0; !this.#isOver; turn += 1) {
      const sidecar = random.pick(sidecars.filter(({ isUp }) => isUp));
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
        const other = random.pick(sidecars.filter(({ isUp }) => isUp));
        const released = await this.#call(random, other, { kind: 'unlock', resourceId, owner });
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

  #call(
    random: Random,
    sidecar: SidecarUnderTest,
    what: Pick<LockRequest, 'kind' | 'resourceId' | 'owner'>,
  ): Promise<Operation> {
    const leaseMs = random.pick(LEASES_MS);
    const ttlMs = what.kind === 'tryLock' ? leaseMs : 0;
    // Some hang up early, most wait longer than a call may take.
    const deadlineMs = random.chance(0.03) ? random.between(2, 300) : this.#options.deadlineMs;
    const over = random.chance(0.3) ? 'http' : 'grpc';
    return this.recorder.call(sidecar, { ...what, ttlMs, deadlineMs, over });
  }
}
