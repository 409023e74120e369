import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cpus, hostname, release, totalmem } from 'node:os';

/** The machine on which the figures were measured. */
export interface Machine {
  /** Tells machines apart without naming them. */
  readonly id: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly kernel: string;
  readonly node: readonly string[];
  readonly redis: string;
  readonly h2load: string;
  readonly vegeta: string;
}

const BYTES_A_GB = 1e9;
const ID_LENGTH = 12;

/** Describes this machine; the versions of tools are given by those who know them. */
export function describeMachine(
  versions: Pick<Machine, 'node' | 'redis' | 'h2load' | 'vegeta'>,
): Machine {
  return {
    id: createHash('sha256')
      .update(hostname() + readMachineId())
      .digest('hex')
      .slice(0, ID_LENGTH),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / BYTES_A_GB),
    kernel: release(),
    ...versions,
  };
}

/** Why figures of two machines can't be held against each other; empty where they can. */
export function differencesBetween(one: Machine, other: Machine): readonly string[] {
  const fields = ['id', 'cpu', 'cores', 'memoryGb', 'kernel', 'node', 'redis'] as const;
  return fields
    .filter((field) => String(one[field]) !== String(other[field]))
    .map((field) => `${field} ${String(one[field])} and ${String(other[field])}`);
}

function readMachineId(): string {
  try {
    return readFileSync('/etc/machine-id', 'utf8');
  } catch {
    return '';
  }
}
