import { randomBytes } from 'node:crypto';

import { Cancellation } from '../../../src/base/cancellation';
import { processClock } from '../../../src/base/clock';
import { CallDeadline, TimeOverError } from '../../../src/stores/attempts/call-deadline';

/** Keeps the event loop busy. */
function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe('the time of a call', () => {
  const signal = new Cancellation();
  const clock = processClock;

  it('is not over for a reply that arrived in time while the event loop was busy', async () => {
    const deadline = new CallDeadline({ timeoutMs: 30, signal, clock });
    // It is ready after a moment, and read by the event loop as a reply is.
    const reply = new Promise<string>((resolve) => {
      randomBytes(8, () => {
        resolve('reply');
      });
    });
    const result = deadline.wait(reply);
    block(100);
    await expect(result).resolves.toBe('reply');
    deadline.clear();
  });

  it('is over for one that does not arrive', async () => {
    const deadline = new CallDeadline({ timeoutMs: 10, signal, clock });
    const never = new Promise<never>(() => undefined);
    await expect(deadline.wait(never)).rejects.toEqual(new TimeOverError('timeout'));
    deadline.clear();
  });
});
