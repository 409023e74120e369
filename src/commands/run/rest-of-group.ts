import type { ProcessGroup } from './process-group';

/** The parts of a process group that are used to end the processes that a command has left in it. */
export type RestOfGroup = Pick<ProcessGroup, 'id' | 'isAlive' | 'signal' | 'whenEmpty'>;

/** How the rest of a group is ended. */
export interface EndRestOptions {
  /** The time between SIGTERM and SIGKILL, in milliseconds. */
  readonly graceMs: number;
  /** Aborts when the lock is lost. */
  readonly lost: AbortSignal;
  /** A signal that aborts when this process is asked to end from now on. */
  readonly nextAsk: () => AbortSignal;
  /** Writes a line for people. */
  readonly say: (line: string) => void;
}

/** How long to wait for processes to disappear that were killed, in milliseconds. */
const GONE_WITHIN_MS = 2000;

/**
 * Ends the processes that a command has left in its group, because they must not outlive the lock.
 * If some can't be ended, because they are another user's or hang in the kernel, it waits for their
 * end: the lock is for their work, too. It gives up when the lock is lost, or when this process is
 * asked to end.
 */
export async function endRest(group: RestOfGroup, options: EndRestOptions): Promise<void> {
  const { graceMs, lost, nextAsk, say } = options;
  if (!group.isAlive) return;
  group.signal('SIGTERM');
  if (await group.whenEmpty(graceMs)) return;
  group.signal('SIGKILL');
  if (await group.whenEmpty(GONE_WITHIN_MS)) return;
  say(
    `processes of group ${group.id} can't be ended and still run, as another user's do; the lock is kept until they end, or until a signal asks this command to end`,
  );
  const asked = nextAsk();
  if (await group.whenEmpty(Infinity, [lost, asked])) return;
  if (asked.aborted) say(`the lock is released; processes of group ${group.id} still run`);
}
