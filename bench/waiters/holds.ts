import type { Finding } from './finding';
import { inParallel } from './in-parallel';
import type { HoldEvent, OpenHold } from './native-client';
import type { WaitersOptions } from './options';
import { type Standing, World } from './world';

/** So many begin at a time. */
const IN_FLIGHT = 50;

/** Many holds at a time, each of its own lock, renewed by the sidecar. */
export async function measureHolds(options: WaitersOptions): Promise<Finding> {
  const { count, watchSeconds, leaseSeconds } = options;
  const world = await World.start();
  try {
    await world.noteMemory();
    const events = new EventCount();
    let standing: Standing | undefined;
    let renewals = 0;
    const blocking = await world.watch.blockingOf(async () => {
      const holds: OpenHold[] = [];
      await inParallel(count, IN_FLIGHT, async (index) => {
        const lock = { resourceId: `hold-${index}`, lockOwner: `holder-${index}` };
        const hold = world.clientOf(index, count).hold(lock, leaseSeconds * 1000, (event) => {
          events.add(event);
        });
        holds.push(hold);
        await hold.held;
      });
      const before = events.renewed;
      standing = await world.watchStanding(count, watchSeconds);
      renewals = events.renewed - before;
      for (const hold of holds) hold.end();
    });
    events.assertUndisturbed(count);
    await world.watch.untilEmpty();
    return {
      title: `${count} holds with leases of ${leaseSeconds} s`,
      standing,
      blocking,
      lines: [
        ['watched for', `${watchSeconds} s`],
        ['renewals in a second', (renewals / watchSeconds).toFixed(0)],
        ['renewals that failed, holds that were lost', '0'],
      ],
    };
  } finally {
    await world.stop();
  }
}

/** Counts the events of all holds. */
class EventCount {
  held = 0;
  renewed = 0;
  others = 0;

  add(event: HoldEvent): void {
    if (isSet(event.held)) this.held += 1;
    else if (isSet(event.renewed)) this.renewed += 1;
    else this.others += 1;
  }

  /** Throws if a hold was not held from its first event on. */
  assertUndisturbed(count: number): void {
    if (this.held === count && this.others === 0) return;
    throw new Error(`${this.held} of ${count} were held, with ${this.others} other events`);
  }
}

function isSet(field: object | null | undefined): boolean {
  return field !== null && field !== undefined;
}
