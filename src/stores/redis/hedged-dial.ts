import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

import type { RedisLink } from './redis-link';

/** How long an attempt may be silent before another is started beside it, in milliseconds. */
const HEDGE_MS = 500;

/**
 * Dials, and dials again beside it while nothing answers: a handshake whose packets were lost
 * stays silent when the way is free again, and would be noticed only after dialTimeout. The
 * first to answer is taken; the first to fail fails them all.
 *
 * @param dial opens a connection, unless its signal aborts first
 */
export async function dialHedged(
  dial: (settled: AbortSignal) => Promise<RedisLink>,
): Promise<RedisLink> {
  const settled = new AbortController();
  // Each dial has one, and in Node 20 each pause leaves one behind: Node warns of the eleventh.
  setMaxListeners(0, settled.signal);
  const dials: Promise<RedisLink>[] = [];
  const dialNext = async (): Promise<RedisLink> => {
    const next = dial(settled.signal);
    dials.push(next);
    const silence = pause(HEDGE_MS, 'silent' as const, { signal: settled.signal });
    const first = await Promise.race([next, silence]);
    return first === 'silent' ? Promise.race([next, dialNext()]) : first;
  };
  let taken: RedisLink | undefined;
  try {
    taken = await dialNext();
    return taken;
  } finally {
    settled.abort();
    for (const each of dials) {
      each.then(
        (link) => {
          if (link !== taken) link.end(new Error('another connection was faster'));
        },
        () => undefined,
      );
    }
  }
}
