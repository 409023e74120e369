import { rm } from 'node:fs/promises';
import path from 'node:path';

import { writeComponent } from '../../../support/component-files';
import { SidecarProcess } from '../../../support/sidecar-process';
import type { TrialSite } from '../../client';
import { type Daprd, type LockServers, startLockServers, type StoreName } from '../../lock-servers';
import type { CommandLine } from '../../process-group';
import { type StepReport, Steps } from '../../steps';
import { toMarkdownTable } from '../../table';
import { runPageLines } from './page-lines';
import { SURFACE_ROWS, type SurfaceRow } from './rows';
import { CurlTool, GrpcurlTool, type SurfaceTool } from './tools';

/** The store without servers, which is run beside Redis. */
const MEMORY = { name: 'memory', component: { type: 'lock.in-memory' } } as const;

/** Why rows are skipped that are about a daprd on the same servers. */
const NO_DAPRD = 'daprd has no such store';

/**
 * The surface of the native API by real command-line tools: every row over both transports, and every line of
 * docs/native-api.md.
 */
export class SurfaceRun {
  readonly #grpcurl: string;
  readonly #signal: AbortSignal;
  readonly #steps = new Steps();
  /** By row, what became of it in each column. */
  readonly #cells = new Map<SurfaceRow, string[]>(SURFACE_ROWS.map((row) => [row, []]));
  readonly #columns: string[] = [];

  private constructor(grpcurl: string, signal: AbortSignal) {
    this.#grpcurl = grpcurl;
    this.#signal = signal;
  }

  /** Runs all of it; `command` names the grpcurl to use in its environment. */
  static async run({ env }: CommandLine, { store, signal }: TrialSite): Promise<StepReport> {
    const run = new SurfaceRun(env?.GRPCURL ?? 'grpcurl', signal);
    if (store === 'redis') await run.#runOn(MEMORY);
    await run.#runWithServers(store);
    return { ...run.#steps.report, remarks: `\n${run.#table}\n` };
  }

  async #runWithServers(store: StoreName): Promise<void> {
    const servers = await startLockServers(store);
    try {
      await this.#runOn(servers);
    } finally {
      await servers.stop();
    }
  }

  async #runOn(store: Pick<LockServers, 'name' | 'component' | 'daprd'>): Promise<void> {
    const resources = await writeComponent(store.component);
    const sidecar = await SidecarProcess.spawn({ args: ['--resources-path', resources] });
    try {
      await sidecar.waitForOutput('dapr initialized.');
      await this.#runTools(store.name, sidecar, store.daprd);
      const folders = [path.dirname(this.#grpcurl), process.env.PATH].join(path.delimiter);
      await runPageLines(this.#steps, { store: store.name, sidecar, path: folders });
    } finally {
      await sidecar.stop();
      await rm(resources, { recursive: true, force: true });
    }
  }

  async #runTools(store: string, sidecar: SidecarProcess, daprd: Daprd | undefined): Promise<void> {
    for (const tool of [new CurlTool(sidecar), new GrpcurlTool(this.#grpcurl, sidecar)]) {
      const column = `${tool.name}, ${store}`;
      this.#columns.push(column);
      for (const row of SURFACE_ROWS) {
        const canBe = row.needsDaprd !== true || daprd !== undefined;
        const cell = canBe ? await this.#runRow(row, column, { tool, daprd }) : 'skipped';
        if (!canBe) this.#steps.skip(`${row.call} ${row.does}: ${column}`, NO_DAPRD);
        this.#cells.get(row)!.push(cell);
      }
    }
  }

  async #runRow(
    row: SurfaceRow,
    column: string,
    { tool, daprd }: { readonly tool: SurfaceTool; readonly daprd: Daprd | undefined },
  ): Promise<string> {
    this.#signal.throwIfAborted();
    const resourceId = `${tool.name}-${SURFACE_ROWS.indexOf(row)}-`;
    const answer = await row.run(tool, resourceId, daprd).catch(String);
    this.#steps.expect(`${row.call} ${row.does}: ${column}`, answer, row.answer);
    return answer === row.answer ? 'works' : 'FAILED';
  }

  get #table(): string {
    const head = ['call', 'what it does', ...this.#columns];
    const rows = [...this.#cells].map(([row, cells]) => [row.call, row.does, ...cells]);
    return toMarkdownTable([head, ...rows]);
  }
}
