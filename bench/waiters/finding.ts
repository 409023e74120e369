import { toTable } from '../markdown-report';
import type { Blocking } from './redis-watch';
import type { Standing } from './world';

/** The findings of a part. */
export interface Finding {
  readonly title: string;
  /** Undefined only if the part failed. */
  readonly standing: Standing | undefined;
  readonly blocking: Blocking;
  readonly lines: readonly (readonly [what: string, value: string])[];
}

/** A finding as a Markdown table. */
export function toMarkdown({ title, standing, blocking, lines }: Finding): string {
  const kilobytes = (bytes: number | undefined) => `${((bytes ?? NaN) / 1000).toFixed(2)} KB`;
  const percent = (share: number | undefined) => `${(share ?? NaN).toFixed(1)} %`;
  const rows: (readonly string[])[] = [
    ...lines,
    ['resident memory of the sidecar', `${(standing?.rssMb ?? NaN).toFixed(0)} MB`],
    ['the same for each', kilobytes(standing?.sidecarBytesEach)],
    ['memory of Redis for each', kilobytes(standing?.redisBytesEach)],
    ['CPU of the sidecar meanwhile', percent(standing?.sidecarCpuPercent)],
    ['CPU of Redis meanwhile', percent(standing?.redisCpuPercent)],
    ['longest script', `${blocking.longestScriptMs.toFixed(2)} ms ${blocking.longestScript}`],
    ['left in Redis', 'the last fencing token'],
  ];
  return `## ${title}\n\n${toTable(['what', 'figure'], rows)}\n`;
}
