import { rm } from 'node:fs/promises';
import path from 'node:path';

import { writeComponent } from '../../../support/component-files';
import { startRedisServer } from '../../../support/redis-server';
import { SidecarProcess } from '../../../support/sidecar-process';
import type { CommandLine } from '../../process-group';
import { type StepReport, Steps } from '../../steps';
import { toMarkdownTable } from '../../table';
import { runPageLines } from './page-lines';
import { SURFACE_ROWS, type SurfaceRow } from './rows';
import { CurlTool, GrpcurlTool, type SurfaceTool } from './tools';

/** The kinds of store that have the whole native API. */
const STORES = ['memory', 'Redis'] as const;

/** A cell of the table where everything went as it should. */
const WORKS = 'works';

/**
 * The surface of the native API by real command-line tools: every row over both transports on both stores, and every
 * line of docs/native-api.md.
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
  static async run({ env }: CommandLine, signal: AbortSignal): Promise<StepReport> {
    const run = new SurfaceRun(env?.GRPCURL ?? 'grpcurl', signal);
    for (const store of STORES) await run.#runOn(store);
    return { ...run.#steps.report, remarks: `\n${run.#table}\n` };
  }

  async #runOn(store: (typeof STORES)[number]): Promise<void> {
    const redis = store === 'Redis' ? await startRedisServer() : undefined;
    const resources = await writeComponent(
      redis === undefined
        ? { type: 'lock.in-memory' }
        : { type: 'lock.redis', metadata: { redisHost: `127.0.0.1:${redis.port}` } },
    );
    const sidecar = await SidecarProcess.spawn({ args: ['--resources-path', resources] });
    try {
      await sidecar.waitForOutput('dapr initialized.');
      await this.#runTools(store, sidecar);
      const folders = [path.dirname(this.#grpcurl), process.env.PATH].join(path.delimiter);
      await runPageLines(this.#steps, { store, sidecar, path: folders });
    } finally {
      await sidecar.stop();
      await redis?.stop();
      await rm(resources, { recursive: true, force: true });
    }
  }

  async #runTools(store: string, sidecar: SidecarProcess): Promise<void> {
    for (const tool of [new CurlTool(sidecar), new GrpcurlTool(this.#grpcurl, sidecar)]) {
      this.#columns.push(`${tool.name}, ${store}`);
      for (const row of SURFACE_ROWS) await this.#runRow(row, tool, store);
    }
  }

  async #runRow(row: SurfaceRow, tool: SurfaceTool, store: string): Promise<void> {
    this.#signal.throwIfAborted();
    const resourceId = `${tool.name}-${SURFACE_ROWS.indexOf(row)}`;
    const answer = await row.run(tool, resourceId).catch(String);
    this.#steps.expect(`${row.call} ${row.does}: ${tool.name} on ${store}`, answer, row.answer);
    this.#cells.get(row)!.push(answer === row.answer ? WORKS : 'FAILED');
  }

  get #table(): string {
    const head = ['call', 'what it does', ...this.#columns];
    const rows = [...this.#cells].map(([row, cells]) => [row.call, row.does, ...cells]);
    return toMarkdownTable([head, ...rows]);
  }
}
