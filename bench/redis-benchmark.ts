import { runCommand } from './run-command';

/** The result of redis-benchmark for one command. */
export interface RedisBenchmarkReport {
  readonly callsPerSecond: number;
  readonly meanMs: number;
}

const WITHIN_MS = 120_000;

/** Runs `SET held v NX EX 60`, daprd's own command, from as many connections as are in flight. */
export async function runRedisBenchmark(
  binary: string,
  load: { readonly port: number; readonly inFlight: number; readonly calls: number },
): Promise<RedisBenchmarkReport> {
  const at = ['-h', '127.0.0.1', '-p', String(load.port)];
  const size = ['-c', String(load.inFlight), '-n', String(load.calls)];
  const command = ['SET', 'held', 'random_id_abc123', 'NX', 'EX', '60'];
  const args = [...at, ...size, '--csv', '--precision', '3', ...command];
  return parseRedisBenchmark(await runCommand(binary, args, { withinMs: WITHIN_MS }));
}

/** Reads the output of `redis-benchmark --csv` for one command; throws where it is none. */
export function parseRedisBenchmark(text: string): RedisBenchmarkReport {
  const row = text.split('\n').find((line) => line.startsWith('"SET'));
  const [, callsPerSecond, meanMs] = row?.split(',').map((cell) => Number(cell.slice(1, -1))) ?? [];
  if (callsPerSecond === undefined || meanMs === undefined) {
    throw new Error(`redis-benchmark said: ${text}`);
  }
  return { callsPerSecond, meanMs };
}
