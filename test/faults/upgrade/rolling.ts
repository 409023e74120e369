import type { Operation } from '../history';
import type { SidecarUnderTest } from '../sidecar-under-test';

/** Notes with every answer which version gave it. */
export function ofVersion(
  version: Operation['version'],
  sidecar: SidecarUnderTest,
): SidecarUnderTest {
  const { by, proxy, isUp, sendWaitMs, pid } = sidecar;
  return {
    by,
    proxy,
    isUp,
    sendWaitMs,
    pid,
    stop: () => sidecar.stop(),
    call: async (request) => ({ ...(await sidecar.call(request)), version }),
  };
}

/**
 * A sidecar that is replaced by another in mid-run, as a rolling upgrade does: after so many calls
 * new ones go to the successor, and the old one stops when its own have been answered.
 */
export function handOver(
  before: SidecarUnderTest,
  after: SidecarUnderTest,
  afterCalls: number,
): SidecarUnderTest {
  let calls = 0;
  let inFlight = 0;
  let stopped: Promise<void> | undefined;
  const stopWhenDone = async (): Promise<void> => {
    if (calls > afterCalls && inFlight === 0) await (stopped ??= before.stop());
  };
  return {
    ...before,
    async call(request) {
      calls += 1;
      if (calls > afterCalls) {
        void stopWhenDone();
        return after.call(request);
      }
      inFlight += 1;
      try {
        return await before.call(request);
      } finally {
        inFlight -= 1;
        void stopWhenDone();
      }
    },
    stop: () => (stopped ??= before.stop()),
  };
}

/** How many leases one version gave and the other released. */
export function countCrossings(
  operations: readonly Operation[],
): Record<'first to present' | 'present to first', number> {
  const count = (from: Operation['version'], to: Operation['version']): number => {
    const nameOf = ({ key, owner }: Operation): string => `${key} ${owner}`;
    const given = new Set(
      operations
        .filter(({ answer, version }) => answer === 'acquired' && version === from)
        .map(nameOf),
    );
    return operations.filter(
      (each) => each.answer === 'unlocked' && each.version === to && given.has(nameOf(each)),
    ).length;
  };
  return {
    'first to present': count('first', 'present'),
    'present to first': count('present', 'first'),
  };
}
