import { readFile } from 'node:fs/promises';

import { readMemory } from '../process-usage';
import type { StartedTarget } from '../started-target';
import { median } from '../statistics';

/** The memory of a sidecar in one interval, in MB (10^6 bytes). */
export interface MemorySample {
  /** The end of the interval, in seconds since the beginning. */
  readonly atSeconds: number;
  /** Resident memory at the end. */
  readonly rssMb: number;
  /** The least that V8's heap and the buffers outside of it had: what is alive, if garbage was collected meanwhile. */
  readonly heapMb: number;
}

const BYTES_A_MB = 1_000_000;
const PARTS = 5;

/** Samples the memory of a sidecar that was started with report-heap.js. */
export class MemoryWatch {
  readonly samples: MemorySample[] = [];
  #beganMs = 0;
  #linesRead = 0;

  constructor(
    readonly target: StartedTarget,
    readonly heapFile: string,
  ) {}

  /** Begins the first interval. */
  async begin(): Promise<void> {
    this.#linesRead = (await this.#readLines()).length;
    this.#beganMs = performance.now();
  }

  /** Ends an interval, and begins the next one. */
  async sample(): Promise<void> {
    const { rssMb } = await readMemory(this.target.pid);
    const lines = await this.#readLines();
    const isNew = lines.slice(this.#linesRead);
    this.#linesRead = lines.length;
    const used = (isNew.length > 0 ? isNew : lines.slice(-1)).map(toBytes);
    const atSeconds = (performance.now() - this.#beganMs) / 1000;
    this.samples.push({ atSeconds, rssMb, heapMb: Math.min(...used) / BYTES_A_MB });
  }

  async #readLines(): Promise<readonly string[]> {
    return (await readFile(this.heapFile, 'utf8')).trimEnd().split('\n');
  }
}

function toBytes(line: string): number {
  return line.split(' ').reduce((sum, number) => sum + Number(number), 0);
}

/**
 * By how many MB a number of the last fifth of the samples is above that of the second one: the first fifth is left
 * out because code is compiled and the heap finds its size then. Medians, because garbage comes and goes.
 */
export function growthMb(samples: readonly MemorySample[], key: 'rssMb' | 'heapMb'): number {
  const fifth = Math.max(1, Math.floor(samples.length / PARTS));
  const numbers = samples.map((sample) => sample[key]);
  return median(numbers.slice(-fifth)) - median(numbers.slice(fifth, 2 * fifth));
}
