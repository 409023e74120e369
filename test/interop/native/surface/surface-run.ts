import { rm } from 'node:fs/promises';
import path from 'node:path';

import { writeComponent } from '../../../support/component-files';
import { type RedisServer, startRedisServer } from '../../../support/redis-server';
import { SidecarProcess } from '../../../support/sidecar-process';
import type { CommandLine } from '../../process-group';
import { type StepReport, Steps } from '../../steps';
import { toMarkdownTable } from '../../table';
import { runPageLines } from './page-lines';
import { type Daprd, SURFACE_ROWS, type SurfaceRow } from './rows';
import { CurlTool, GrpcurlTool, type SurfaceTool } from './tools';

/** The kinds of store that have the whole native API. */
const STORES = ['memory', 'Redis'] as const;

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
      await this.#runTools(store, sidecar, redis && createDaprd(redis));
      const folders = [path.dirname(this.#grpcurl), process.env.PATH].join(path.delimiter);
      await runPageLines(this.#steps, { store, sidecar, path: folders });
    } finally {
      await sidecar.stop();
      await redis?.stop();
      await rm(resources, { recursive: true, force: true });
    }
  }

  async #runTools(store: string, sidecar: SidecarProcess, daprd: Daprd | undefined): Promise<void> {
    for (const tool of [new CurlTool(sidecar), new GrpcurlTool(this.#grpcurl, sidecar)]) {
      const column = `${tool.name}, ${store}`;
      this.#columns.push(column);
      for (const row of SURFACE_ROWS) {
        const canBe = row.needsDaprd !== true || daprd !== undefined;
        const cell = canBe ? await this.#runRow(row, column, { tool, daprd }) : '-';
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

/** Takes locks as a daprd does: under its key, which has the app id, with SET NX and no companion. */
function createDaprd(redis: RedisServer): Daprd {
  return {
    lock: (resourceId, owner) =>
      redis.inspect(async (client) => {
        await client.set(`lock||myapp||${resourceId}`, owner, {
          condition: 'NX',
          expiration: { type: 'PX', value: 3_600_000 },
        });
      }),
  };
}
