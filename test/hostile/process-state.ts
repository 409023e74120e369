import { readFileSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';

/** The kernel tells memory in KiB. */
const KB_A_MB = 1024;

/** The memory of a process, in MiB. */
export interface ProcessMemory {
  readonly rssMb: number;
  /** The most that it ever was, or since {@link forgetPeak}. */
  readonly peakRssMb: number;
}

/** Reads the resident memory of a process, and its highest so far (proc(5), VmRSS and VmHWM). */
export async function readProcessMemory(pid: number): Promise<ProcessMemory> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const read = (name: string): number => {
    const kb = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
    if (kb === undefined) throw new Error(`process ${pid} has ended`);
    return Number(kb) / KB_A_MB;
  };
  return { rssMb: read('VmRSS'), peakRssMb: read('VmHWM') };
}

/** Makes the kernel count the highest memory of a process anew (proc(5), clear_refs). */
export async function forgetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5');
}

/** How many descriptors a process has open. */
export async function countDescriptors(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}

/** The kernel tells waiting times in nanoseconds. */
const NS_A_MS = 1_000_000;

/**
 * How long the main thread of a process has had work and no processor, in milliseconds since its start
 * (schedstat, field 2). Other processes of a busy machine make it wait; that is no stall of its own. 0 once
 * it has ended, or where the kernel does not count.
 */
export function readWaitedMs(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / NS_A_MS;
  } catch {
    return 0;
  }
}
