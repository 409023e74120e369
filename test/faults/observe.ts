import { findGivenUp } from './given-up';
import type { FaultWindow, History } from './history';
import { toOperations } from './holds';
import type { Account } from './rule-breaks';
import type { FailedStart, SidecarUnderTest } from './sidecar-under-test';
import { type ServerProbe, StallWatch } from './stall-watch';
import { Tally } from './tally';
import { clockTimes } from './token-times';
import { Troubles } from './troubles';
import type { Workload } from './workload';

/** The longest time that a timer has. */
const FOREVER_MS = 2 ** 31 - 1;

/** How a run is watched. */
export interface ObserveOptions {
  readonly sidecars: readonly SidecarUnderTest[];
  /** Asks the server of the locks whether it stands still; nobody does where this is left out. */
  readonly probe?: ServerProbe | undefined;
  /** After so long nothing more is begun; no bound where this is left out. */
  readonly longestMs?: number;
  /** Called twice a second with how many operations have begun. */
  readonly onProgress?: (begun: number) => void;
}

/** The observations of a run: what the clients were told, and what troubled it. */
export interface Observed {
  readonly account: Account;
  readonly history: History;
  readonly faults: readonly FaultWindow[];
  /** When a process had to wait for the processor or for the server, without a fault. */
  readonly stalls: readonly FaultWindow[];
  /** The faults, and when the clients were late. */
  readonly late: readonly FaultWindow[];
  /** Calls of sidecars with short limits that took longer, or were told that another had. */
  readonly givenUp: number;
  readonly failedStarts: readonly FailedStart[];
  readonly seconds: number;
}

/** The injectors that break things while the load runs. */
export interface Breaking {
  readonly windows: readonly FaultWindow[];
  start(): void;
  stop(): Promise<void>;
}

/** Load and faults at the same time. */
export async function observe(
  workload: Workload,
  injector: Breaking,
  options: ObserveOptions,
): Promise<Observed> {
  const cut = setTimeout(() => {
    workload.cut();
  }, options.longestMs ?? FOREVER_MS);
  const progress = setInterval(() => {
    options.onProgress?.(workload.recorder.begun);
  }, 500);
  const watch = new StallWatch(options.sidecars, options.probe);
  const startedAtMs = performance.now();
  injector.start();
  try {
    await workload.run();
  } finally {
    clearTimeout(cut);
    clearInterval(progress);
    watch.stop();
    await injector.stop();
  }
  const seconds = (performance.now() - startedAtMs) / 1000;
  return { ...toAccount(workload, injector.windows, { ...options, watch }), seconds };
}

function toAccount(
  { recorder }: Workload,
  faults: readonly FaultWindow[],
  { sidecars, watch }: ObserveOptions & { readonly watch: StallWatch },
) {
  const { operations: calls, holds } = recorder;
  const parts = holds.flatMap((hold) => toOperations(hold, recorder.nextPartId));
  const operations = [...calls, ...parts];
  const stalls = watch.stallsBeside(faults);
  const sendWaitsMs = sidecars.map(({ sendWaitMs }) => sendWaitMs);
  const givenUp = findGivenUp(calls, sendWaitsMs);
  const measured = [...stalls, ...givenUp];
  const troubles = new Troubles({ faults, stalls: measured, sendWaitsMs });
  const drawnAt = clockTimes(Date.now() - performance.now());
  return {
    account: { operations, holds, faults, troubles, tally: new Tally(), drawnAt },
    history: { operations, faults, stalls: measured, sendWaitsMs },
    faults,
    stalls,
    late: [...faults, ...watch.clientsLate],
    givenUp: givenUp.length,
    failedStarts: sidecars.flatMap((sidecar) => sidecar.failedStarts ?? []),
  };
}
