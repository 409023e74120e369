import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

/** What a dial opens. */
interface Dialled {
  end(reason: Error): void;
}

/** How long an attempt may be silent by default, in milliseconds. */
const HEDGE_MS = 500;

/**
 * Connects, and starts more attempts while none has answered. If the packets of a handshake are
 * lost, it stays silent even when the network works again, and would be noticed only after
 * dialTimeout. The first attempt that connects is used. The first one that fails makes them all
 * fail.
 *
 * @param dial opens a connection, unless its signal aborts first
 * @param silentMs how long an attempt may be silent before a second one starts
 */
export async function dialHedged<L extends Dialled>(
  dial: (settled: AbortSignal) => Promise<L>,
  silentMs = HEDGE_MS,
): Promise<L> {
  const settled = new AbortController();
  // Each attempt adds a listener, and in Node 20 each pause leaves one behind. Node warns about the
  // eleventh.
  setMaxListeners(0, settled.signal);
  const dials: Promise<L>[] = [];
  const dialNext = async (): Promise<L> => {
    const next = dial(settled.signal);
    dials.push(next);
    const silence = pause(silentMs, 'silent' as const, { signal: settled.signal });
    const first = await Promise.race([next, silence]);
    return first === 'silent' ? Promise.race([next, dialNext()]) : first;
  };
  let taken: L | undefined;
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
