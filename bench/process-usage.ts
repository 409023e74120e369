import { readFile } from 'node:fs/promises';

/** The kernel tells processor time in 1/100 s on every architecture that Node runs on (USER_HZ). */
const US_A_TICK = 10_000;

const BYTES_A_KB = 1024;
const BYTES_A_MB = 1_000_000;

/** The memory of a process, in MB (10^6 bytes). */
export interface Memory {
  /** All resident pages, shared ones in full. */
  readonly rssMb: number;
  /** Resident pages, shared ones divided by those who share them: what one more process costs. */
  readonly pssMb: number;
}

/** The processor time that a process has used since its start, user and system, in µs. */
export async function readCpuUs(pid: number): Promise<number> {
  return parseCpuUs(await readFile(`/proc/${pid}/stat`, 'utf8'));
}

/** The memory that a process has now. */
export async function readMemory(pid: number): Promise<Memory> {
  const [status, rollup] = await Promise.all([
    readFile(`/proc/${pid}/status`, 'utf8'),
    readFile(`/proc/${pid}/smaps_rollup`, 'utf8'),
  ]);
  return { rssMb: parseMb(status, 'VmRSS'), pssMb: parseMb(rollup, 'Pss') };
}

/** Reads utime and stime off /proc/PID/stat (proc(5)): fields 14 and 15. */
export function parseCpuUs(stat: string): number {
  // The second field is the program's name in brackets, which may itself hold spaces and brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * US_A_TICK;
}

/** Reads a line `Name: 123 kB` of /proc/PID/status or smaps_rollup. */
export function parseMb(text: string, name: string): number {
  const kb = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1];
  if (kb === undefined) throw new Error(`no ${name} in what the kernel says of a process`);
  return (Number(kb) * BYTES_A_KB) / BYTES_A_MB;
}
