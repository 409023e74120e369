import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import {
  type Attack,
  type AttackNeeds,
  type AttackSize,
  type Bounds,
  DEFAULT_BOUNDS,
  type Finding,
} from './attack';
import { ChildProgram } from './child-program';
import type { ProbeResult } from './probe';
import { countDescriptors, forgetPeak, readProcessMemory } from './process-state';
import type { StartTarget, TargetUnderAttack } from './target';

/** How long a run waits for things that take their time, in milliseconds. */
export interface Pace {
  /**
   * How long the sidecar is called as fast as it can before anything is measured, again and again until its
   * memory grows no more. V8 gives its young objects up to 48 MiB once there is traffic; that is no growth by
   * an attack, and takes as long as the machine is slow.
   */
  readonly warmUpMs: number;
  /** How long it then rests. */
  readonly restMs: number;
  /** How long is waited at least before a look at what is left, for what is still on its way. */
  readonly settleAtLeastMs: number;
  /** How long memory and descriptors may take to come back. */
  readonly settleWithinMs: number;
  /** The same for memory that is still beyond its bound. What V8 has not collected by then counts. */
  readonly settleAtMostMs: number;
}

const PACES: Readonly<Record<AttackSize, Pace>> = {
  small: {
    warmUpMs: 1000,
    restMs: 300,
    settleAtLeastMs: 200,
    settleWithinMs: 2500,
    settleAtMostMs: 20_000,
  },
  full: {
    warmUpMs: 2000,
    restMs: 1000,
    settleAtLeastMs: 1000,
    settleWithinMs: 20_000,
    settleAtMostMs: 20_000,
  },
};

/** Growth of the memory in one turn of the warm-up that is none, in MiB, and how many turns there are at most. */
const WARM_GROWTH_MB = 2;
const MOST_WARM_UPS = 8;

/** Time between two looks at the process. */
const LOOK_EVERY_MS = 50;

/** The measurements of a sidecar, by the names of its bounds. */
export type Measures = { readonly [Name in keyof Bounds]?: number };

/** The effect of an attack on a sidecar. */
export interface AttackReport {
  readonly attack: Attack;
  readonly bounds: Bounds;
  readonly measures: Measures;
  readonly findings: readonly Finding[];
  readonly probe: ProbeResult | undefined;
  /** Empty where every bound held. */
  readonly broken: readonly string[];
  /** The sidecar's last words, where something went wrong. */
  readonly log: string;
}

/** How attacks are run. */
export interface HostileRunOptions {
  readonly size: AttackSize;
  readonly startTarget: StartTarget;
  /** The module whose `ATTACKS` has the attack: its process loads it anew. */
  readonly list?: string;
  readonly pace?: Pace;
  /** Ends the run; what it has started is ended before it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

const ATTACK_LIST = path.join(__dirname, 'attacks.ts');

/** Runs one attack on a sidecar of its own, with an innocent neighbour beside it. */
export async function runAttack(attack: Attack, options: HostileRunOptions): Promise<AttackReport> {
  const { size, startTarget, list = ATTACK_LIST, pace = PACES[size], signal } = options;
  const attacker = new ChildProgram('attack-process.ts', [list, attack.name]);
  const neighbour = new ChildProgram('probe-process.ts');
  let target: TargetUnderAttack | undefined;
  try {
    target = await startTarget(async (redisPort) => {
      const opened = await attacker.ask<AttackNeeds>({ do: 'prepare', redisPort });
      return { ...attack.needs, ...opened };
    });
    const run = new AttackRun({ attack, size, pace, attacker, neighbour, target });
    return await Promise.race([run.toReport(), rejectOn(signal)]);
  } finally {
    await Promise.all([attacker.kill(), neighbour.kill()]);
    await target?.remove();
  }
}

/** Never resolves. */
function rejectOn(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });
}

interface Parts {
  readonly attack: Attack;
  readonly size: AttackSize;
  readonly pace: Pace;
  readonly attacker: ChildProgram;
  readonly neighbour: ChildProgram;
  readonly target: TargetUnderAttack;
}

/** One attack on one sidecar, step by step. */
class AttackRun {
  readonly #parts: Parts;
  readonly #bounds: Bounds;
  readonly #measures: { -readonly [Name in keyof Bounds]?: number } = {};
  readonly #broken: string[] = [];
  #findings: readonly Finding[] = [];
  #probe: ProbeResult | undefined;
  #restingMb = 0;
  #descriptors = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#bounds = { ...DEFAULT_BOUNDS, ...parts.attack.bounds };
  }

  async toReport(): Promise<AttackReport> {
    const { attack, target } = this.#parts;
    await this.#warmUp();
    await this.#attack();
    if (attack.endsSidecar !== true) await this.#measureAndStop();
    this.#judge();
    const [bounds, measures, findings] = [this.#bounds, this.#measures, this.#findings];
    const log = this.#broken.length === 0 ? '' : target.log();
    return { attack, bounds, measures, findings, probe: this.#probe, broken: this.#broken, log };
  }

  async #warmUp(): Promise<void> {
    const { neighbour, target, pace } = this.#parts;
    await neighbour.ask({ do: 'start', target: target.forProbe });
    const readMb = async () => (await readProcessMemory(target.pid)).rssMb;
    let [mb, grownMb] = [await readMb(), Infinity];
    for (let turn = 0; turn < MOST_WARM_UPS && grownMb > WARM_GROWTH_MB; turn += 1) {
      await neighbour.ask({ do: 'warmUp', forMs: pace.warmUpMs });
      grownMb = (await readMb()) - mb;
      mb += grownMb;
    }
    await pause(pace.restMs);
    await forgetPeak(target.pid);
    this.#restingMb = await readMb();
    this.#descriptors = await countDescriptors(target.pid);
    await neighbour.ask({ do: 'reset' });
  }

  async #attack(): Promise<void> {
    const { attacker, target, size } = this.#parts;
    try {
      this.#findings = await attacker.ask({ do: 'run', target: target.forAttack, size });
    } catch (error) {
      this.#broken.push(`the attack could not be made: ${(error as Error).message}`);
    }
  }

  async #measureAndStop(): Promise<void> {
    const { target } = this.#parts;
    const measured = this.#measure().then(() => true);
    const lives = await Promise.race([measured, target.exited.then(() => false)]);
    if (lives) this.#measures.stopMs = await target.stop();
    else this.#broken.push('the sidecar ended');
    // What is read of a process that has ended fails.
    measured.catch(() => undefined);
  }

  /** The attacker's connections are open, then it is gone. The neighbour calls all the while. */
  async #measure(): Promise<void> {
    const { attacker, neighbour, target } = this.#parts;
    const growth = async () => (await readProcessMemory(target.pid)).rssMb - this.#restingMb;
    const openNow = async () => (await countDescriptors(target.pid)) - this.#descriptors;
    const { heldMb, keptMb, descriptorsLeft, locksLeft } = this.#bounds;
    // Half of the bound is good enough to wait no longer: V8 takes its time to collect.
    this.#measures.heldMb = await this.#settle(growth, heldMb / 2, heldMb);
    await attacker.kill();
    this.#measures.keptMb = await this.#settle(growth, keptMb / 2, keptMb);
    // Connections of a killed attacker may still wait to be accepted, of which Node takes one a turn.
    this.#measures.descriptorsLeft = await this.#settle(openNow, descriptorsLeft, descriptorsLeft);
    const countLocks = async () => (await target.findLocks()).length;
    this.#measures.locksLeft = await this.#settle(countLocks, locksLeft);
    this.#probe = await neighbour.ask<ProbeResult>({ do: 'result' });
    this.#measures.stallMs = this.#probe.stallMs;
    this.#measures.failedCalls = this.#probe.failed;
    this.#measures.peakRssMb = (await readProcessMemory(target.pid)).peakRssMb;
  }

  /**
   * Looks until a value is small enough or the time is over; the last value counts. The time is longer
   * while the value is more than `atMost`.
   */
  async #settle(look: () => Promise<number>, enough: number, atMost = Infinity): Promise<number> {
    const { settleAtLeastMs, settleWithinMs, settleAtMostMs } = this.#parts.pace;
    const startedAt = performance.now();
    for (;;) {
      const value = await look();
      const waitedMs = performance.now() - startedAt;
      if (waitedMs >= settleAtLeastMs && value <= enough) return value;
      if (waitedMs >= (value > atMost ? settleAtMostMs : settleWithinMs)) return value;
      await pause(LOOK_EVERY_MS);
    }
  }

  #judge(): void {
    for (const name of Object.keys(DEFAULT_BOUNDS) as (keyof Bounds)[]) {
      const [value, bound] = [this.#measures[name], this.#bounds[name]];
      if (value !== undefined && value > bound) {
        this.#broken.push(`${name} ${Math.round(value)}, at most ${bound}`);
      }
    }
    for (const { what, value, atMost = Infinity, atLeast = -Infinity } of this.#findings) {
      if (value > atMost) this.#broken.push(`${what}: ${value}, at most ${atMost}`);
      if (value < atLeast) this.#broken.push(`${what}: ${value}, at least ${atLeast}`);
    }
  }
}
