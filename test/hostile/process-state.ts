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
