import type { SidecarOverview } from '../api/overview';

/** The last overview of a sidecar, and when it came on the clock of the page. */
export interface Answered {
  readonly overview: Pick<SidecarOverview, 'instance' | 'uptimeMs'>;
  readonly readAtMs: number;
}

/**
 * Says that another process answers than before: a restart, which empties the list of events, or, where that
 * process ran already, another sidecar at the same address. Empty if it is the same.
 */
export function toInstanceSentence(before: Answered, { overview, readAtMs }: Answered): string {
  const { instance, uptimeMs } = overview;
  if (before.overview.instance === instance) return '';
  return uptimeMs > readAtMs - before.readAtMs
    ? `Another sidecar answers now: ${instance}. The list of events is its own.`
    : 'The sidecar was restarted. What it did before is not listed any more.';
}
