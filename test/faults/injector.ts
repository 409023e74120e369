import { setTimeout as pause } from 'node:timers/promises';

import type { FaultWindow } from './history';
import type { Random } from './random';
import type { SidecarUnderTest } from './sidecar-under-test';

/** The target of a fault. */
export interface Target<Server> {
  readonly server: Server;
  /** The sidecar that is hit, where the fault hits one. */
  readonly sidecar: SidecarUnderTest;
  readonly random: Random;
  /** To be called by a fault that hits only some locks, before it does. */
  readonly limitTo: (concerns: (key: string) => boolean) => void;
}

/** Something that can break; it is whole again when `run` has ended. */
export interface Fault<Server> {
  readonly losesData?: boolean;
  /** True where it hits all sidecars. */
  readonly isOfAll?: boolean;
  /** Whether a sidecar can be hit by it; any where this is left out. */
  readonly hits?: (sidecar: SidecarUnderTest) => boolean;
  readonly run: (target: Target<Server>) => Promise<void>;
}

/** The faults, and how often each is injected. */
export interface InjectorOptions<Server> {
  readonly server: Server;
  readonly sidecars: readonly SidecarUnderTest[];
  readonly faults: Readonly<Record<string, Fault<Server>>>;
  /** How long nothing is broken after each round. */
  readonly calmMs: number;
  readonly random: Random;
}

/**
 * How long nothing is broken after each round. Only then everything has to be in time: the last fault is felt for up to 4 s,
 * and to see that a lock is free for nobody takes 3.5 s.
 */
export const CALM_MS = 12_000;

/** Breaks things one after another, in an order that the seed gives, until it is told to stop. */
export class Injector<Server> {
  readonly windows: FaultWindow[] = [];
  readonly #options: InjectorOptions<Server>;
  #isStopping = false;
  #running: Promise<void> | undefined;

  constructor(options: InjectorOptions<Server>) {
    this.#options = options;
  }

  /** Starts breaking things. */
  start(): void {
    this.#running = this.#run();
  }

  /** Stops, with everything whole again. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#running;
    for (const { proxy } of this.#options.sidecars) proxy.heal();
  }

  async #run(): Promise<void> {
    const { faults, calmMs, random } = this.#options;
    // Every kind in turn, shuffled anew each round, so that none is left out of a short run.
    for (;;) {
      const round = Object.entries(faults).sort(() => random.next() - 0.5);
      for (const [kind, fault] of round) {
        if (this.#isStopping) return;
        await this.#break(kind, fault);
        await pause(random.between(50, 400));
      }
      for (let waitedMs = 0; waitedMs < calmMs && !this.#isStopping; waitedMs += 100) {
        await pause(100);
      }
    }
  }

  async #break(kind: string, fault: Fault<Server>): Promise<void> {
    const { server, sidecars, random } = this.#options;
    const { run, hits, isOfAll, losesData = false } = fault;
    const within = sidecars.filter((each) => hits?.(each) ?? true);
    if (within.length === 0) return;
    const sidecar = random.pick(within);
    let some: Pick<FaultWindow, 'concerns'> = {};
    const limitTo = (concerns: (key: string) => boolean): void => {
      some = { concerns };
    };
    const fromMs = performance.now();
    await run({ server, sidecar, random, limitTo });
    const hit = isOfAll === true ? {} : { sidecar: sidecars.indexOf(sidecar) };
    this.windows.push({ kind, fromMs, toMs: performance.now(), losesData, ...hit, ...some });
  }
}
