import type { FaultWindow, Operation } from './history';

/** The kind of a time in which a sidecar with a short limit gave a send up. */
export const GIVEN_UP = 'a send was given up';

/** From here on a limit is long enough that no load explains that it has passed. */
const LONG_LIMIT_MS = 2000;

/** The log line of a sidecar about a send that it no longer waits for. */
const SAID = /did not reply within (\d+) ms/;

/**
 * Times in which a sidecar with a short limit gave sends up, by its own words or as a call took longer than its limit. On a
 * busy machine that happens without a fault, and what was sent then is sent again. A sidecar with the default limit has no
 * such excuse.
 */
export function findGivenUp(
  operations: readonly Operation[],
  sendWaitsMs: readonly (number | undefined)[],
): FaultWindow[] {
  return operations.flatMap((operation): FaultWindow[] => {
    const { by, isPart, sidecar, calledAtMs, returnedAtMs: toMs } = operation;
    const { waitMs = 0, reason = '' } = operation;
    const limitMs = (sidecar === undefined ? undefined : sendWaitsMs[sidecar]) ?? LONG_LIMIT_MS;
    if (by !== 'holdfast' || isPart === true || limitMs >= LONG_LIMIT_MS) return [];
    // After less than its limit it gives up the send of a call whose own time is over, and no other.
    const waitedMs = Number(SAID.exec(reason)?.[1] ?? toMs - calledAtMs - waitMs);
    if (waitedMs < limitMs) return [];
    // The send that was given up may be that of another call, which came before.
    const fromMs = Math.min(calledAtMs, toMs - limitMs);
    return [{ kind: GIVEN_UP, fromMs, toMs, losesData: false, sidecar }];
  });
}
