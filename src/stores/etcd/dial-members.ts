import { setTimeout as pause } from 'node:timers/promises';

import { toErrorMessage } from '../../base/error-message';
import type { EtcdLink } from './etcd-link';

/** How long a member may be silent before the next one is tried beside it, in milliseconds. */
export const HEDGE_MS = 500;

/**
 * Connects to the first member that answers. The next one is tried when one fails, or is silent for
 * {@link HEDGE_MS}: one that is paused answers nothing for as long as the whole attempt may take.
 *
 * @param dial its signal aborts once another member has answered
 * @throws {AggregateError} with the reason of each member
 */
export async function dialMembers(
  endpoints: readonly string[],
  dial: (endpoint: string, settled: AbortSignal) => Promise<EtcdLink>,
): Promise<EtcdLink> {
  const settled = new AbortController();
  const started: Promise<EtcdLink>[] = [];
  let winner: EtcdLink | undefined;
  try {
    for (const endpoint of endpoints) {
      const attempt = dial(endpoint, settled.signal);
      started.push(attempt);
      winner = await settleOf(attempt, started);
      if (winner !== undefined) return winner;
    }
    winner = await Promise.any(started);
    return winner;
  } catch (error) {
    throw error instanceof AggregateError ? withReasons(error) : error;
  } finally {
    settled.abort();
    for (const attempt of started) void endLoser(attempt, winner);
  }
}

/** The link of any attempt that succeeds, or undefined once it is time to try the next member. */
async function settleOf(
  latest: Promise<EtcdLink>,
  started: readonly Promise<EtcdLink>[],
): Promise<EtcdLink | undefined> {
  const hedging = new AbortController();
  const never = new Promise<never>(() => undefined);
  const silence = pause(HEDGE_MS, undefined, { signal: hedging.signal }).catch(() => undefined);
  try {
    return await Promise.race([
      latest.catch(() => undefined),
      // Only successes: the failure of an earlier one is no reason to go on.
      ...started.map((attempt) => attempt.catch(() => never)),
      silence,
    ]);
  } finally {
    hedging.abort();
  }
}

/** A member may answer just after another one. */
async function endLoser(attempt: Promise<EtcdLink>, winner: EtcdLink | undefined): Promise<void> {
  const link = await attempt.catch(() => undefined);
  if (link !== winner) link?.end(new Error('another member answered first'));
}

function withReasons(error: AggregateError): AggregateError {
  const reasons = [...new Set(error.errors.map(toErrorMessage))];
  return new AggregateError(error.errors, reasons.join('; '));
}
