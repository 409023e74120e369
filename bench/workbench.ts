import type { RedisServer } from '../test/support/redis-server';
import type { BenchOptions } from './bench-options';
import type { EtcdTools, LoadGenerators } from './bench-tools';
import type { NodeBinary } from './node-binary';
import { readCpuUs } from './process-usage';

/** The parts that every measure needs. */
export interface Workbench {
  readonly options: BenchOptions;
  readonly nodes: readonly NodeBinary[];
  readonly tools: LoadGenerators & {
    /** For the generators' files; removed at the end. */
    readonly folder: string;
    /** Undefined if it can't be installed here. */
    readonly etcd: EtcdTools | undefined;
  };
  /** The Redis that our sidecars keep their locks in. */
  readonly redis: RedisServer;
  readonly redisPid: number;
}

/** A contestant's name: with its Node where several are measured. */
export function nameOn(bench: Workbench, kind: string, node: NodeBinary): string {
  return bench.nodes.length > 1 ? `${kind}@${node.version}` : kind;
}

/** Runs something, and gives the processor time that a process used meanwhile, in µs. */
export async function withCpu<T>(
  pids: readonly number[],
  act: () => Promise<T>,
): Promise<{ readonly result: T; readonly cpuUs: readonly number[] }> {
  const before = await Promise.all(pids.map(readCpuUs));
  const result = await act();
  const after = await Promise.all(pids.map(readCpuUs));
  return { result, cpuUs: after.map((used, index) => used - (before[index] ?? 0)) };
}
