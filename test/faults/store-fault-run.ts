import {
  countOption,
  createScript,
  drawSeed,
  type ScriptDescription,
  type ScriptValues,
  seedOption,
} from '../support/long-run/script-command';
import { runScript, type ScriptRun } from '../support/long-run/script-run';
import { check, type FaultRunReport, toReport } from './fault-run';
import { CALM_MS, type Fault, Injector } from './injector';
import { toNamedHistories } from './named-histories';
import { type Breaking, type Observed, observe, type ObserveOptions } from './observe';
import { Random } from './random';
import { toTable, toVerdict } from './report-table';
import { newRunName, type SidecarUnderTest } from './sidecar-under-test';
import { Workload } from './workload';

/** The servers and sidecars of a fault run on a store other than one Redis. */
export interface StoreScene<Server> extends Pick<ObserveOptions, 'probe'> {
  readonly server: Server;
  readonly sidecars: readonly SidecarUnderTest[];
  /** How many clients of Dapr's API there are, beside as many of the native one as always. Default: 24. */
  readonly clients?: number;
  /** How long nothing is broken after each round of faults. Default: {@link CALM_MS}. */
  readonly calmMs?: number;
  /** By the name that the report gives each. */
  readonly faults: Readonly<Record<string, Fault<Server>>>;
  /** The failures that a call may report as certain under these faults. Any other is a mistake. */
  readonly refusals: RegExp;
  /** Notes what happened to the servers beside what was injected. */
  readonly watch?: Breaking;
  /** Corrects what the clients were told by what a fault may have taken back. */
  readonly toJudged?: (seen: Observed) => Observed;
  /** Locks and tickets that stay when all leases are over and nobody waits. */
  findLeftovers(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/**
 * Opens the scene of a run: its servers, and the sidecars that `build` starts and adds. All of them end together, also if it
 * fails.
 */
export async function openScene<Server extends { stop(): Promise<void> }>(
  server: Server,
  build: (
    sidecars: SidecarUnderTest[],
  ) => Promise<Omit<StoreScene<Server>, 'server' | 'sidecars' | 'stop'>>,
): Promise<StoreScene<Server>> {
  const sidecars: SidecarUnderTest[] = [];
  const stop = async (): Promise<void> => {
    for (const sidecar of sidecars) await sidecar.stop();
    await server.stop();
  };
  try {
    return { ...(await build(sidecars)), server, sidecars, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface FaultValues extends ScriptValues {
  readonly ops: number;
  readonly seed?: number;
  readonly minutes: number;
}

/** The script of a fault run on a store. Its exit code is 1 where a history is not valid. */
export function runStoreFaults<Server>(
  names: ScriptDescription,
  open: () => Promise<StoreScene<Server>>,
): void {
  const command = createScript(names)
    .addOption(countOption('--ops <number>', 'how many operations').default(100_000))
    .addOption(seedOption())
    .addOption(countOption('--minutes <number>', 'begins nothing more after so long').default(600));
  void runScript(command, async (values: FaultValues, run: ScriptRun): Promise<void> => {
    const { ops: operations, seed = drawSeed() } = values;
    const longestMs = values.minutes * 60_000;
    run.print(`fault run: ${operations} operations, --seed ${seed} repeats the schedule\n`);
    run.begin({ total: operations, unit: 'operations', longestMs });
    const scene = await open();
    try {
      const onProgress = (begun: number): void => {
        run.advance(begun, begun < operations ? '' : 'checking');
      };
      const report = await judge(scene, { seed, operations, longestMs, onProgress });
      run.print(`${toOwnTable(report)}\n${toVerdict(report)}`);
      for (const violation of report.violations.slice(0, 10)) run.print(`\n${violation}\n`);
      if (report.violations.length > 0) run.attach('histories.json', toNamedHistories(report));
      process.exitCode = report.violations.length === 0 ? 0 : 1;
    } finally {
      await scene.stop();
    }
  });
}

interface JudgeOptions extends Pick<ObserveOptions, 'longestMs' | 'onProgress'> {
  readonly seed: number;
  readonly operations: number;
}

async function judge<Server>(
  scene: StoreScene<Server>,
  { seed, operations, ...limits }: JudgeOptions,
): Promise<FaultRunReport> {
  const { server, sidecars, clients = 24, faults, refusals, watch, probe, toJudged } = scene;
  const random = new Random(seed);
  const workload = new Workload({
    ...{ sidecars, clients, nativeClients: 24, keys: 12, operations },
    ...{ deadlineMs: 15_000, random: random.fork(), run: newRunName() },
  });
  const injector = new Injector({
    ...{ server, sidecars, random: random.fork() },
    ...{ faults, calmMs: scene.calmMs ?? CALM_MS },
  });
  const breaking = watch === undefined ? injector : together(injector, watch);
  const seen = await observe(workload, breaking, { ...limits, sidecars, probe });
  const judged = toJudged?.(seen) ?? seen;
  return {
    ...toReport(seed, seen),
    serverEvents: 0,
    violations: [...check(judged, refusals), ...(await scene.findLeftovers())],
  };
}

function together(one: Breaking, other: Breaking): Breaking {
  return {
    get windows() {
      const all = [...one.windows, ...other.windows];
      return all.sort((a, b) => a.fromMs - b.fromMs);
    },
    start: () => {
      one.start();
      other.start();
    },
    stop: async () => {
      await one.stop();
      await other.stop();
    },
  };
}

/** The table of the run on Redis, with the faults of this one. */
function toOwnTable(report: FaultRunReport): string {
  const rows = toTable(report)
    .split('\n')
    .filter((row) => !/fault: |MONITOR|daprd's own/.test(row));
  const faults = [...new Set(report.faults.map(({ kind }) => kind))].sort().map((kind) => {
    const count = report.faults.filter((fault) => fault.kind === kind).length;
    return `| fault: ${kind} | ${count} |`;
  });
  return `${[...rows.filter(Boolean), ...faults].join('\n')}\n`;
}
